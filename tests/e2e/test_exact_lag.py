"""Clicks far behind orders, and orders far behind clicks, through real Kafka: the same totals to the last micro."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from disturbed import Disturbance, Sent, disturbed, market
from exact_ground import Ground, Sending
from models.scenario.emitted import CLICKS, ORDERS
from oracle import count
from services import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

HELD_BACK_S = 20
SEND_RATE = 1_000_000


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """Services that hold nothing yet."""
    made = Ground(tmp_path)
    yield made
    made.stop()


def is_held_back(record: Sent) -> bool:
    """Clicks of half of the partition numbers, orders of the other half; a user has one partition number."""
    return record.topic == (CLICKS if record.partition < 2 else ORDERS)


def test_totals_do_not_depend_on_which_topic_is_ahead(ground: Ground) -> None:
    """A topic stands still for 20 s until the other has been read to its end: every cell is the batch oracle's.

    In half of the partitions the clicks are held back behind the orders, in the
    others the orders behind the clicks.
    """
    records = disturbed(market(6, 0.5, 10, 0.2), 6, Disturbance(duplicate=0, shuffle_ms=0, late=0))
    ahead = [record for record in records if not is_held_back(record)]
    behind = [record for record in records if is_held_back(record)]
    ground.start_worker().wait_ready(120)
    Sending(ground.broker.bootstrap, ahead, SEND_RATE).finish()
    since = time.monotonic()
    ground.wait_applied(len(ahead))
    assert 0 == credited(ground)
    wait_for(lambda: time.monotonic() - since >= HELD_BACK_S, HELD_BACK_S + 5, "the other topic to stand still")
    Sending(ground.broker.bootstrap, behind, SEND_RATE).finish()
    ground.wait_applied(len(records))
    held = ground.hold(count(ground.logs()))

    assert [] == held.wrong[:20]
    assert held.cells > 5_000
    assert credited(ground) > 100


def credited(ground: Ground) -> int:
    """Order lines that count for a click, as the oracle sees what is on the log so far; named ones left out."""
    logs = ground.logs()
    unnamed = {
        place: [value for value in values if place[0] != ORDERS or b'"campaign_id"' not in value]
        for place, values in logs.items()
    }
    days = [members for (scope, level, _), members in count(unnamed).items() if (scope, level) == ("region", "day")]
    return sum(counts.get("total_orders", 0) for members in days for counts in members.values())
