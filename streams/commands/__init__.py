"""The command verbs, one per file; heavy imports stay inside the functions so `--help` is instant."""
