"""How a demo is judged: cell by cell, switch by switch."""

import pytest

from models.decisions import Status, Transition
from models.scenario.waves import Switch
from models.totals import Totals
from models.units import EpochMs, Region
from streams.demo.judging import Difference, differences, match, wrong

GD, ZJ = Region("440000"), Region("330000")


def switch(region: Region, at: int, *, on: bool) -> Switch:
    """Make a true switch."""
    return Switch(region=region, was_on=not on, is_on=on, at=EpochMs(at))


def decision(region: Region, to: Status, at: int, decided_at: int | None = None) -> Transition:
    """Make a decision."""
    return Transition.model_validate(
        {
            "transition_id": f"{region}{at}",
            "category": "phone",
            "region": region,
            "from": Status.UNKNOWN,
            "to": to,
            "at": at,
            "decided_at": at if decided_at is None else decided_at,
            "cause": "orders",
            "config_hash": "c",
        }
    )


def test_equal_cells_have_no_differences() -> None:
    """A member that is absent on one side is all zero there."""
    assert [] == list(differences("region", {"a": Totals(clicks=1), "b": Totals()}, {"a": Totals(clicks=1)}))


def test_every_counter_that_differs_is_named() -> None:
    """Both directions count: lost and invented."""
    sent, counted = {"a": Totals(clicks=2, gifts=1)}, {"a": Totals(clicks=1, gifts=1), "b": Totals(impressions=4)}

    assert [
        Difference("region", "a", "clicks", 2, 1),
        Difference("region", "b", "impressions", 0, 4),
    ] == list(differences("region", sent, counted))


@pytest.mark.parametrize(
    ("decisions", "delays"),
    [
        ([decision(GD, Status.ON, 12)], [2, None]),
        ([decision(GD, Status.ON, 9)], [None, None]),
        ([decision(ZJ, Status.ON, 12)], [None, None]),
        ([decision(GD, Status.OFF, 12)], [None, None]),
        ([decision(GD, Status.ON, 25)], [None, None]),
        ([decision(GD, Status.ON, 10), decision(GD, Status.OFF, 20, 26)], [0, 6]),
    ],
    ids=["found", "before it happened", "elsewhere", "the other way", "after the next switch", "both"],
)
def test_switch_is_found_by_the_first_right_decision(decisions: list[Transition], delays: list[int | None]) -> None:
    """A decision counts for the last switch before it, in its region, for its new state."""
    truth = [switch(GD, 10, on=True), switch(GD, 20, on=False)]

    assert delays == [finding.delay_ms for finding in match(truth, decisions)]


def test_wrong_decisions_are_counted() -> None:
    """A decision is wrong when the region was in that state neither then nor at the estimated change."""
    truth = [switch(GD, 10, on=True)]
    decisions = [
        decision(GD, Status.OFF, 5),
        decision(GD, Status.ON, 9, 11),
        decision(GD, Status.OFF, 12),
        decision(GD, Status.UNKNOWN, 13),
        decision(ZJ, Status.ON, 4),
    ]

    assert 2 == wrong(decisions, {GD: False, ZJ: False}, truth)
