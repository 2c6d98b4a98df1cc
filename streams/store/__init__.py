"""Where totals, progress and decisions are kept: one contract, in memory and in Redis."""
