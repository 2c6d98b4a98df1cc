"""The example adjuster as a module, for the demo: `python -m streams.adjuster HOST:PORT BUDGETS.sqlite`."""

import sys

from streams.adjuster import Adjuster, BudgetPlatform, PlanRefused, StaleBudget

bootstrap, path = sys.argv[1:]
platform = BudgetPlatform(path)
with Adjuster.connect(bootstrap, platform.ledger, consumer="example-adjuster") as adjuster:
    adjuster.stop_on_signals()
    for shift in adjuster.shifts():
        try:
            version = platform.apply(shift.plan)  # all legs or none, and never twice
        except StaleBudget as error:
            shift.reject(str(error), "stale")
        except PlanRefused as error:
            shift.reject(str(error))
        else:
            shift.accept(version)
