"""A mock ad platform: day budgets in a SQLite file, changed by compare-and-set, all legs of a plan or none.

It keeps its ledger in the same file, so that a budget and the note that a
shift was applied are written in one transaction.
"""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from models.decisions import BudgetShift, Leg
from models.errors import MonitorError
from models.units import CampaignId, Micros
from streams.adjuster.ledger import SqliteLedger, Verdict, wall_clock

_SCHEMA: Final = """
create table if not exists budgets (campaign text primary key, micros integer not null, version integer not null) strict
"""


class StaleBudget(MonitorError):
    """A budget has moved since the plan was made; nothing was changed."""


class PlanRefused(MonitorError):
    """The platform cannot do what the plan asks; nothing was changed."""


class Budget(NamedTuple):
    """A campaign's day budget; the version grows by one with each change."""

    micros: Micros
    version: int


class BudgetPlatform:
    """Day budgets and the ledger of the adjuster that moves them, in one file."""

    def __init__(self, path: Path | str, now: Callable[[], int] = wall_clock) -> None:
        """Open or create the file; `now` gives the wall clock in ms.

        Raises:
            InputFileError: it cannot be opened, or is no SQLite file.
        """
        self.ledger = SqliteLedger(path)
        self._now = now
        with self.ledger.transaction() as connection:
            connection.execute(_SCHEMA)

    def open_campaigns(self, budgets: Mapping[CampaignId, Budget]) -> None:
        """Enter campaigns that are not known yet; known ones keep their budgets."""
        with self.ledger.transaction() as connection:
            connection.executemany(
                "insert or ignore into budgets values (?, ?, ?)",
                [(campaign, budget.micros, budget.version) for campaign, budget in budgets.items()],
            )

    def budgets(self) -> dict[CampaignId, Budget]:
        """Give every campaign's day budget."""
        rows = self.ledger.read("select campaign, micros, version from budgets order by campaign")
        return {CampaignId(row[0]): Budget(Micros(row[1]), row[2]) for row in rows}

    def apply(self, plan: BudgetShift) -> int:
        """Apply all legs or none, once; give the greatest budget version after it.

        A shift that was applied before changes nothing and gives the same version.

        Raises:
            StaleBudget: a budget is not at the plan's old version or amount.
            PlanRefused: the plan does not add up, names an unknown campaign, or is no budget move.
        """
        _check(plan)
        with self.ledger.transaction() as connection:
            before = self.ledger.find(plan.shift_id)
            if before is not None:
                if before.applied_version is None:
                    raise PlanRefused(f"shift {plan.shift_id} was answered {before.result} before")
                return before.applied_version
            version = max(_move(connection, leg) for leg in plan.legs)
            self.ledger.record_inside(Verdict.of(plan, "applied", version, self._now(), None))
        return version

    def close(self) -> None:
        """Close the file."""
        self.ledger.close()


def _check(plan: BudgetShift) -> None:
    """Refuse what no platform should do, whoever signed it."""
    campaigns = [leg.campaign for leg in plan.legs]
    if plan.mode != "auto":
        raise PlanRefused(f"the plan's mode is {plan.mode}: nothing may be applied")
    if plan.action != "budget":
        raise PlanRefused(f"the platform moves budgets and knows no {plan.action}")
    if not campaigns or len(set(campaigns)) < len(campaigns):
        raise PlanRefused("the plan has no legs, or two for one campaign")
    if any(leg.new_micros < 0 or leg.old_micros + leg.delta_micros != leg.new_micros for leg in plan.legs):
        raise PlanRefused("a leg does not add up, or leaves a budget below zero")
    if sum(leg.delta_micros for leg in plan.legs) != 0:
        raise PlanRefused("the legs do not conserve money")


def _move(connection: sqlite3.Connection, leg: Leg) -> int:
    """Compare and set one budget; give its new version."""
    row = connection.execute("select micros, version from budgets where campaign = ?", (leg.campaign,)).fetchone()
    if row is None:
        raise PlanRefused(f"campaign {leg.campaign} is not known")
    if row != (leg.old_micros, leg.old_version):
        raise StaleBudget(
            f"campaign {leg.campaign} stands at {row[0]} micros, version {row[1]},"
            f" and the plan was made for {leg.old_micros}, version {leg.old_version}"
        )
    version = leg.old_version + 1
    connection.execute(
        "update budgets set micros = ?, version = ? where campaign = ?", (leg.new_micros, version, leg.campaign)
    )
    return version
