"""A Faust transport that hands over whole slices of a partition and commits only what was acknowledged."""
