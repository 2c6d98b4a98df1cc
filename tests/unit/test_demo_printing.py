"""What the demo says of the truth, the feed and the decisions."""

from decimal import Decimal

import pytest

from models.decisions import BudgetShift, Leg, ShiftEvidence, Transition
from models.scenario.emitted import Payload
from models.scenario.waves import HOURS_FROM_MS, Switch
from models.scenario.world import START
from models.units import DAY_MS, HOUR_MS, MICROS_PER_UNIT, MINUTE_MS, EpochMs, Region
from streams.demo.judging import Finding
from streams.demo.printing import feed_line, shift_line, transition_lines, truth_lines
from streams.demo.summary import finding_line

GD = Region("440000")
AT = EpochMs(START + 4 * HOUR_MS)
OPENS = EpochMs(START - (START + 8 * HOUR_MS) % DAY_MS + HOURS_FROM_MS)


def turn(region: str = GD, at: EpochMs = AT, *, on: bool = False) -> Switch:
    """Make a true switch."""
    return Switch(region=Region(region), was_on=not on, is_on=on, at=at)


def decision(cause: str) -> Transition:
    """Guangdong is found OFF, three and a half minutes later."""
    return Transition.model_validate(
        {
            "transition_id": "t",
            "category": "phone",
            "region": GD,
            "from": "ON",
            "to": "OFF",
            "at": AT,
            "decided_at": AT + 210_000,
            "cause": cause,
            "evidence": {
                "orders": 40,
                "subsidised": 20,
                "recent": ((1, 2), (0, 5), (0, 6)),
                "base_percent": Decimal("69.8"),
                "level_percent": Decimal("0.0"),
            },
            "config_hash": "c",
        }
    )


def leg(region: str, delta: int) -> Leg:
    """A leg from 100 yuan."""
    return Leg(
        campaign=f"phone-{region}",
        region=region,
        old_micros=100 * MICROS_PER_UNIT,
        old_version=1,
        new_micros=(100 + delta) * MICROS_PER_UNIT,
        delta_micros=delta * MICROS_PER_UNIT,
        reasons=(),
    )


def shift(reasons: tuple[str, ...], legs: tuple[Leg, ...]) -> BudgetShift:
    """A shift with these reasons and legs."""
    return BudgetShift(
        shift_id="0123456789",
        plan_id="p",
        plan_hash="h",
        decision_epoch=0,
        emitted_at=0,
        valid_until=1,
        mode="auto",
        action="budget",
        category="phone",
        cause="t",
        reasons=reasons,
        legs=legs,
        total_before_micros=0,
        total_after_micros=0,
        status_version=1,
        evidence=ShiftEvidence(window="24h", clicks=0, orders=0, spend_micros=0, value_micros=0),
        config_hash="c",
    )


def test_truth_says_whether_anybody_knows() -> None:
    """A turn is a surprise, an announced hour is not; many at one time are counted."""
    many = [turn(region, OPENS, on=True) for region in ("110000", "120000", "130000", "140000", "150000")]

    assert [
        "        truth   广东 Guangdong: ON -> OFF at 12:00, and nobody has said so yet",
        "        truth   5 regions: OFF -> ON at 08:30, as its announced hours say",
    ] == truth_lines([turn(), *many], {switch.region for switch in many})


def test_feed_says_how_late_it_is() -> None:
    """Both times stand in the line."""
    body: Payload = {"region": str(GD), "state": "off", "effective_at": int(AT), "at": AT + 15 * MINUTE_MS}

    assert "        feed    广东 Guangdong: off since 12:00, told at 12:15" == feed_line(body)


def test_decision_gives_its_counts() -> None:
    """What orders showed after the change stands beside what they showed before."""
    (line,) = transition_lines([decision("orders")])

    assert line.endswith("decided at 12:03 (0 of the last 11 orders subsidised, 69.8 % before)")


def test_switched_regions_come_first_in_a_shift() -> None:
    """The region that people have just read of is named, however many others are answered with it."""
    others = ("110000", "120000", "130000", "140000", "150000")
    reasons = tuple(f"status_off:{region}" for region in (*others, GD))
    legs = (*(leg(region, 50) for region in others), leg(GD, -20))

    line = shift_line(shift(reasons, legs), {GD})

    assert "(status_off 广东 Guangdong and 5 more): phone-440000 -20, phone-110000 +50" in line
    assert "(status_off in 6 regions): phone-110000 +50" in shift_line(shift(reasons, legs))


@pytest.mark.parametrize(
    ("found", "how"),
    [
        (decision("orders"), "found by orders, 3.5 simulated minutes later"),
        (decision("announcement"), "found by announcement, 3.5 simulated minutes later"),
        (None, "not found yet"),
    ],
    ids=["orders", "announcement", "nothing"],
)
def test_summary_says_what_found_a_switch(found: Transition | None, how: str) -> None:
    """Cause and delay stand behind each true switch."""
    assert f"  广东 Guangdong OFF at 12:00: {how}" == finding_line(Finding(turn(), found))
