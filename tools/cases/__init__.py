"""What tests of one subject share: builders of values, in the words of the domain."""
