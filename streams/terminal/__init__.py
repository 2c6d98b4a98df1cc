"""What the reading verbs show at a terminal: `table`, `status`, `transitions`, `shifts` and `explain`."""
