"""What a row of the matrix is, and what a run of it found."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from chaos.feed import Cell
from chaos.ground import Compared, Ground


@dataclass
class Found:
    """What one or many runs of a row found.

    Attributes:
        runs: faults injected.
        compared: the store against the feed, once for every comparison made.
        recovery_s: seconds from the end of each fault (or from the fault, where it has none) to data flowing again.
        checks: sentences that must hold, and whether they did.
        notes: figures worth knowing.
        counted: records that the fault may take, if each of them is counted: lost is then not a fault.
    """

    runs: int = 0
    compared: list[Compared] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)
    checks: list[tuple[str, bool]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counted: int = 0

    def check(self, sentence: str, holds: bool) -> None:
        """Note whether a sentence held."""
        self.checks.append((sentence, holds))

    def settle(self, ground: Ground, expected: Counter[Cell] | None = None) -> None:
        """Let everything that was sent be counted, then compare."""
        self.check("everything sent was settled", ground.drain())
        self.compared.append(ground.compare(expected))

    @property
    def lost(self) -> int:
        """Events lost without being counted, over all comparisons."""
        return sum(found.lost for found in self.compared)

    @property
    def double(self) -> int:
        """Events counted twice, over all comparisons."""
        return sum(found.double for found in self.compared)

    @property
    def green(self) -> bool:
        """Whether every cell was right and every sentence held."""
        return all(found.exact for found in self.compared) and all(holds for _, holds in self.checks)

    @property
    def failures(self) -> list[str]:
        """What was not as it must be, in words."""
        wrong = sum(found.wrong for found in self.compared)
        cells = [f"{wrong} cells are wrong"] if wrong else []
        return cells + [sentence for sentence, holds in self.checks if not holds]


class NotRunError(Exception):
    """A row cannot be run on this machine; the message says why."""


class Scene(NamedTuple):
    """What a row is told.

    Attributes:
        folder: an empty folder for everything the row leaves.
        bug: a planted bug; None for the product as it is.
        share: part of the row's usual number of runs, 0 to 1; each row makes at least one.
    """

    folder: Path
    bug: str | None = None
    share: float = 1.0

    def runs(self, usual: int) -> int:
        """Give how often to inject the fault."""
        return max(1, round(usual * self.share))


class Row(NamedTuple):
    """A row of the matrix.

    Attributes:
        fault: what goes wrong.
        how: how it is injected.
        promise: what must hold afterwards.
        target_s: recovery hoped for, in seconds, judged but not asserted; None for none.
        play: injects it and compares.
    """

    fault: str
    how: str
    promise: str
    target_s: float | None
    play: Callable[[Scene], Found]
