"""Three days of wave-31 through real Kafka, disturbed in every way at once: every cell is the batch oracle's."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from disturbed import Disturbance, disturbed, market
from exact_ground import Ground, Sending
from models.scenario.emitted import CLICKS
from oracle import Terms, count
from oracle.counting import Logs
from oracle.log import ads

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

WINDOW = 1_000
"""Records of a partition within which a repeated ad is known: small enough for some repeats to fall outside."""

KILLS = 6
SECONDS = 20


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """Services that hold nothing yet."""
    made = Ground(
        tmp_path,
        KAFKA__SESSION_TIMEOUT_S="6",
        KAFKA__HEARTBEAT_S="1",
        INGEST__DUPLICATE_WINDOW=str(WINDOW),
    )
    yield made
    made.stop()


def test_three_days_are_exact_cell_by_cell(ground: Ground) -> None:
    """Workers die, three in ten records come twice, all are shuffled, some late by hours: no counter is off by one.

    Two workers are killed in turn while the log grows. Compared are all counters
    of all scopes in every day, hour and minute that is kept at the end, and the
    ratios of hours and days.
    """
    records = disturbed(market(3, 3, 4, 1.0), 3, Disturbance())
    chance = random.Random(3)
    workers = [ground.start_worker(), ground.start_worker()]
    for worker in workers:
        worker.wait_ready(120)
    sending = Sending(ground.broker.bootstrap, records, len(records) / SECONDS)
    for number in range(KILLS):
        ground.wait_applied(int(len(records) * (number + chance.random()) / KILLS))
        workers[number % 2].daemon.kill()
        workers[number % 2].start()
    sending.finish()
    ground.wait_applied(len(records))
    logs = ground.logs()
    held = ground.hold(count(logs, Terms(duplicate_window=WINDOW)))

    assert [] == held.wrong[:20]
    assert len(records) == sum(map(len, logs.values()))
    assert held.cells > 30_000
    assert clicks(logs, WINDOW) > clicks(logs, len(records)), "no repeat lay outside the window"


def clicks(logs: Logs, window: int) -> int:
    """How many clicks count when repeats are known for so many records."""
    return sum(1 for (topic, _), values in logs.items() if topic == CLICKS for _ in ads(values, window))
