"""What an adjuster has done about each shift: the table that makes a second delivery harmless.

A verdict is written once and never changed. `answered` says whether the broker
has acknowledged it, so that after a crash the true verdict is sent, and only
later deliveries are called duplicates.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

from models.decisions import BudgetShift, ResultKind
from models.errors import InputFileError

BUSY_TIMEOUT_S: Final = 10.0

_SCHEMA: Final = """
create table if not exists applied (
    shift_id text primary key,
    category text not null,
    decision_epoch integer not null,
    result text not null,
    applied_version integer,
    at integer not null,
    detail text,
    answered integer not null default 0
) strict
"""


def wall_clock() -> int:
    """Give the wall clock in epoch milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was done about one shift.

    Attributes:
        applied_version: budget version after it; None unless it was applied.
        at: wall clock of the adjuster, ms.
        answered: the broker has acknowledged the answer.
    """

    shift_id: str
    category: str
    decision_epoch: int
    result: ResultKind
    applied_version: int | None
    at: int
    detail: str | None
    answered: bool = False

    @classmethod
    def of(cls, plan: BudgetShift, result: ResultKind, version: int | None, at: int, detail: str | None) -> "Verdict":
        """Judge a plan."""
        return cls(
            shift_id=plan.shift_id,
            category=plan.category,
            decision_epoch=plan.decision_epoch,
            result=result,
            applied_version=version,
            at=at,
            detail=detail,
        )


class AppliedStore(Protocol):
    """Where verdicts are kept. All methods must be durable when they return."""

    def find(self, shift_id: str) -> Verdict | None:
        """Give the verdict about a shift; None when there is none yet."""

    def newest_epoch(self, category: str) -> int | None:
        """Give the greatest decision epoch judged in a category; None before the first."""

    def record(self, verdict: Verdict) -> Verdict:
        """Keep a verdict unless there is one already; give the one that is kept."""

    def mark_answered(self, shift_id: str) -> None:
        """Remember that the answer was acknowledged."""


class MemoryLedger:
    """For tests: forgets with the process, so a restarted adjuster would trust the platform alone."""

    def __init__(self) -> None:
        """Start empty."""
        self._verdicts: dict[str, Verdict] = {}

    def find(self, shift_id: str) -> Verdict | None:
        """See `AppliedStore`."""
        return self._verdicts.get(shift_id)

    def newest_epoch(self, category: str) -> int | None:
        """See `AppliedStore`."""
        return max((kept.decision_epoch for kept in self._verdicts.values() if kept.category == category), default=None)

    def record(self, verdict: Verdict) -> Verdict:
        """See `AppliedStore`."""
        return self._verdicts.setdefault(verdict.shift_id, verdict)

    def mark_answered(self, shift_id: str) -> None:
        """See `AppliedStore`."""
        self._verdicts[shift_id] = replace(self._verdicts[shift_id], answered=True)


class SqliteLedger:
    """In a SQLite file, which survives a kill -9. A platform in the same file can join its transactions."""

    def __init__(self, path: Path | str) -> None:
        """Open or create the file.

        Raises:
            InputFileError: it cannot be opened, or is no SQLite file.
        """
        try:
            self._connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = full")
            self._connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise InputFileError(f"cannot keep the adjuster's ledger in {path}: {error}") from None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Run a block in one write transaction: all of it is kept, or nothing when it raises."""
        self._connection.execute("begin immediate")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def read(self, query: str) -> list[tuple[Any, ...]]:
        """Give the rows of a query, as of the last transaction."""
        return self._connection.execute(query).fetchall()

    def find(self, shift_id: str) -> Verdict | None:
        """See `AppliedStore`."""
        row = self._connection.execute(
            "select shift_id, category, decision_epoch, result, applied_version, at, detail, answered"
            " from applied where shift_id = ?",
            (shift_id,),
        ).fetchone()
        if row is None:
            return None
        return Verdict(
            shift_id=row[0],
            category=row[1],
            decision_epoch=row[2],
            result=row[3],
            applied_version=row[4],
            at=row[5],
            detail=row[6],
            answered=bool(row[7]),
        )

    def newest_epoch(self, category: str) -> int | None:
        """See `AppliedStore`."""
        row = self._connection.execute("select max(decision_epoch) from applied where category = ?", (category,))
        newest = row.fetchone()[0]
        return None if newest is None else int(newest)

    def record(self, verdict: Verdict) -> Verdict:
        """See `AppliedStore`."""
        with self.transaction():
            return self.record_inside(verdict)

    def record_inside(self, verdict: Verdict) -> Verdict:
        """Do as `record` does, inside a transaction that is open already."""
        self._connection.execute(
            "insert or ignore into applied values (?, ?, ?, ?, ?, ?, ?, 0)",
            (
                verdict.shift_id,
                verdict.category,
                verdict.decision_epoch,
                verdict.result,
                verdict.applied_version,
                verdict.at,
                verdict.detail,
            ),
        )
        return self.find(verdict.shift_id) or verdict

    def mark_answered(self, shift_id: str) -> None:
        """See `AppliedStore`."""
        with self.transaction() as connection:
            connection.execute("update applied set answered = 1 where shift_id = ?", (shift_id,))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
