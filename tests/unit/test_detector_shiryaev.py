"""The corridor mixture Shiryaev-Roberts on pictured streams: the exact bucket of each decision."""

import random

import pytest

from models.decisions import Status
from models.units import EpochMs
from rules import shiryaev_roberts
from rules.detector import Change, DetectorState, Sample
from rules.settings import DetectorSettings

SETTINGS = DetectorSettings(orders_to_false_alarm=20_000)
KNOWN = "#.##." * 200
"""A thousand orders at a share of 0.6: what an ON region is known by."""


def decided(status: Status, *pictures: str) -> list[tuple[Status, int, int]]:
    """Feed one order per second; give (status, deciding second, estimated second), counted in the last picture.

    `#` carries a subsidy, `.` does not.
    """
    state = shiryaev_roberts.settle(DetectorState(), status, EpochMs(0))
    offset = sum(map(len, pictures[:-1]))
    out = []
    for second, order in enumerate("".join(pictures)):
        state, change = shiryaev_roberts.step(SETTINGS, state, Sample(EpochMs(second * 1_000), 1, int(order == "#")))
        if change is not None:
            out.append((change.to, second - offset, change.at // 1_000 - offset))
    return out


@pytest.mark.parametrize(
    ("status", "pictures", "expected"),
    [
        (Status.ON, (KNOWN, "." * 30), [(Status.OFF, 11, 0)]),
        (Status.ON, (KNOWN, "...#......................"), [(Status.OFF, 15, 0)]),
        (Status.ON, (KNOWN, "....#.##.#.##.##.##.##"), []),
        (Status.ON, (KNOWN, KNOWN), []),
        (Status.OFF, ("." * 1_000, "." * 500), []),
        (Status.OFF, ("." * 1_000, "##.##.##.##.#"), [(Status.ON, 3, 0)]),
        (Status.OFF, ("." * 1_000, "#" + "." * 60 + "#" + "." * 60), []),
        (Status.UNKNOWN, ("##",), [(Status.ON, 1, 0)]),
        (Status.UNKNOWN, ("......",), [(Status.OFF, 5, 0)]),
        (Status.UNKNOWN, ("#...",), []),
    ],
    ids=[
        "off",
        "off-with-a-straggler",
        "a-short-gap",
        "steady-on",
        "steady-off",
        "on-again",
        "a-leak-is-no-return",
        "first-belief-on",
        "first-belief-off",
        "still-unknown",
    ],
)
def test_the_second_of_decision_is_exact(
    status: Status, pictures: tuple[str, ...], expected: list[tuple[Status, int, int]]
) -> None:
    """A change is decided in one known second and dated back to where it began, or not at all."""
    assert expected == decided(status, *pictures)


def stream(seed: int, *phases: tuple[int, float]) -> str:
    """Draw orders: phases of (orders, share with a subsidy)."""
    rng = random.Random(seed)
    return "".join("#" if rng.random() < share else "." for count, share in phases for _ in range(count))


def test_a_quota_of_some_cities_is_partial_and_is_left_both_ways() -> None:
    """A fall to half of the ON share is PARTIAL; from there the region may close or come back."""
    quota = stream(0, (1_000, 0.7), (400, 0.45))
    closed = decided(Status.ON, quota, stream(2, (200, 0.02)))
    opened = decided(Status.ON, quota, stream(2, (300, 0.72)))

    assert [Status.PARTIAL, Status.OFF] == [to for to, _, _ in closed]
    assert [Status.PARTIAL, Status.ON] == [to for to, _, _ in opened]


def test_evidence_that_names_the_same_status_begins_anew() -> None:
    """A PARTIAL region that rises to a higher quota stays PARTIAL, with the higher level as its base."""
    state = shiryaev_roberts.settle(DetectorState(), Status.ON, EpochMs(0))
    changes = []
    for second, order in enumerate(stream(0, (500, 0.95)) + stream(50, (600, 0.3), (300, 0.5))):
        if second == 500:
            state = shiryaev_roberts.settle(state, Status.PARTIAL, EpochMs(500_000))
        state, change = shiryaev_roberts.step(SETTINGS, state, Sample(EpochMs(second * 1_000), 1, int(order == "#")))
        changes += [change] if change else []

    assert [] == changes
    assert Status.PARTIAL is state.status
    assert state.regime_start > 1_100_000


def test_a_weak_return_from_off_is_partial() -> None:
    """A few cities that reopen are not the whole region."""
    assert [Status.PARTIAL] == [
        to for to, _, _ in decided(Status.OFF, stream(4, (2_000, 0.01)), stream(0, (150, 0.17)))
    ]


def test_suspicion_rises_and_falls_without_a_change() -> None:
    """A gap in subsidised orders raises suspicion; ordinary orders clear it."""
    state = shiryaev_roberts.settle(DetectorState(), Status.ON, EpochMs(0))
    suspects = []
    for second, order in enumerate(KNOWN + "........" + "#" * 12):
        state, _ = shiryaev_roberts.step(SETTINGS, state, Sample(EpochMs(second * 1_000), 1, int(order == "#")))
        suspects.append(state.suspect)

    assert not any(suspects[:1_000])
    assert suspects[1_007]
    assert not suspects[-1]


def test_the_bases_do_not_learn_from_a_change() -> None:
    """Strong evidence freezes the bases, so the change does not become the norm."""
    state = shiryaev_roberts.settle(DetectorState(), Status.ON, EpochMs(0))
    changes: list[Change] = []
    for second, order in enumerate(KNOWN + "." * 11):
        state, change = shiryaev_roberts.step(SETTINGS, state, Sample(EpochMs(second * 1_000), 1, int(order == "#")))
        changes += [change] if change else []
    before = state.memory["fast"]
    state, _ = shiryaev_roberts.step(SETTINGS, state, Sample(EpochMs(1_011_000), 1, 0))

    assert [] == changes
    assert before[0] / sum(before) > 0.58
    assert Status.OFF is state.status
