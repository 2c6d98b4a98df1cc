"""Seeded worlds with a known truth: pure generators for demos, tests and benchmarks."""
