"""The client for bid adjusters: a loop over decided shifts, each applied at most once and always answered.

Needs kafka-python and SQLite only; `examples/adjuster.py` is a whole program.
"""

from streams.adjuster.ad_platform import BudgetPlatform, PlanRefused, StaleBudget
from streams.adjuster.client import Adjuster, Shift
from streams.adjuster.ledger import AppliedStore, MemoryLedger, SqliteLedger

__all__ = [
    "Adjuster",
    "AppliedStore",
    "BudgetPlatform",
    "MemoryLedger",
    "PlanRefused",
    "Shift",
    "SqliteLedger",
    "StaleBudget",
]
