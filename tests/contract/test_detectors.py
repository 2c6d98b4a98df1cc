"""One suite over every detector of the table: the laws that the decide line relies on."""

import random
from itertools import pairwise

import msgspec
import pytest

from models.decisions import Status
from models.units import EpochMs
from rules import DETECTORS
from rules.detector import Change, Detector, DetectorState, Sample
from rules.settings import DetectorSettings

SETTINGS = DetectorSettings(orders_to_false_alarm=20_000)
SECOND = 1_000


@pytest.fixture(params=sorted(DETECTORS))
def detector(request: pytest.FixtureRequest) -> Detector:
    """Every detector of the table, in turn."""
    return DETECTORS[request.param]


def orders(seed: int, *phases: tuple[int, float]) -> list[Sample]:
    """One order per second: phases of (orders, share with a subsidy)."""
    rng = random.Random(seed)
    shares = [share for count, share in phases for _ in range(count)]
    return [Sample(EpochMs(i * SECOND), 1, int(rng.random() < share)) for i, share in enumerate(shares, 1)]


def run(
    detector: Detector, samples: list[Sample], state: DetectorState | None = None
) -> tuple[DetectorState, list[tuple[int, Change]]]:
    """Feed samples; give the last state and (bucket start, change) of every change."""
    state, changes = state or DetectorState(), []
    for sample in samples:
        state, change = detector.step(SETTINGS, state, sample)
        if change is not None:
            changes.append((int(sample.start), change))
    return state, changes


def test_a_bucket_without_orders_changes_nothing(detector: Detector) -> None:
    """Silence is no evidence."""
    state, _ = run(detector, orders(1, (50, 0.7)))

    assert (state, None) == detector.step(SETTINGS, state, Sample(EpochMs(99_000), 0, 0))


def test_unknown_is_left_for_what_the_orders_say(detector: Detector) -> None:
    """A few orders make a first belief, in either direction."""
    _, on = run(detector, orders(2, (40, 0.7)))
    _, off = run(detector, orders(2, (40, 0.02)))

    assert [Status.ON] == [change.to for _, change in on]
    assert [Status.OFF] == [change.to for _, change in off]


def test_a_fall_is_found_within_a_few_orders(detector: Detector) -> None:
    """From 0.70 to 0.02, half of the streams are decided within 14 orders of the change."""
    delays = []
    for seed in range(60):
        start = detector.settle(DetectorState(), Status.ON, EpochMs(0))
        _, changes = run(detector, orders(seed, (400, 0.7), (100, 0.02)), start)
        after = [at // SECOND - 400 for at, change in changes if change.to is Status.OFF and at > 400 * SECOND]
        delays.append(after[0] if after else 1_000)

    assert sorted(delays)[len(delays) // 2] <= 14
    assert max(delays) <= 60


def test_no_change_is_found_where_there_is_none(detector: Detector) -> None:
    """False alarms in 60,000 orders of steady regions stay under twice the wanted rate."""
    alarms = 0
    for seed, (status, share) in enumerate([(Status.ON, 0.7), (Status.ON, 0.5), (Status.OFF, 0.03)] * 2):
        start = detector.settle(DetectorState(), status, EpochMs(0))
        alarms += len(run(detector, orders(100 + seed, (10_000, share)), start)[1])

    assert alarms <= 2 * 60_000 / SETTINGS.orders_to_false_alarm


def test_what_is_told_is_believed_and_the_past_forgotten(detector: Detector) -> None:
    """After `settle`, samples from before it are not weighed."""
    state, _ = run(detector, orders(3, (200, 0.7), (8, 0.0)))
    told = detector.settle(state, Status.OFF, EpochMs(500_000))

    assert (Status.OFF, False) == (told.status, told.suspect)
    assert (told, None) == detector.step(SETTINGS, told, Sample(EpochMs(499_000), 5, 5))


@pytest.mark.parametrize("seed", range(5))
def test_changes_alternate_and_lie_in_the_past(detector: Detector, seed: int) -> None:
    """No change to what is believed already; its estimated time is never after the deciding bucket."""
    _, changes = run(detector, orders(seed, (300, 0.7), (100, 0.02), (300, 0.6), (200, 0.3), (200, 0.02)))
    path = [Status.UNKNOWN, *(change.to for _, change in changes)]

    assert all(before is not after for before, after in pairwise(path))
    assert all(change.at <= at and change.subsidised <= change.orders for at, change in changes)
    assert len(changes) >= 4


def test_the_state_survives_json_at_every_step(detector: Detector) -> None:
    """Stopping anywhere and going on from the stored text gives the same changes, bit by bit."""
    samples = orders(7, (300, 0.7), (60, 0.02), (60, 0.6))
    state, changes = DetectorState(), []
    for sample in samples:
        stored = msgspec.json.encode(state)
        state, change = detector.step(SETTINGS, msgspec.json.decode(stored, type=DetectorState), sample)
        if change is not None:
            changes.append((int(sample.start), change))

    assert run(detector, samples) == (state, changes)
    assert len(msgspec.json.encode(state)) < 1_024


def test_a_busy_second_is_weighed_whole(detector: Detector) -> None:
    """Many thousand orders in one bucket neither overflow nor escape notice."""
    on = detector.settle(DetectorState(), Status.ON, EpochMs(0))
    state, _ = detector.step(SETTINGS, on, Sample(EpochMs(1_000), 50_000, 35_000))
    off, change = detector.step(SETTINGS, state, Sample(EpochMs(2_000), 50_000, 500))
    back, again = detector.step(SETTINGS, off, Sample(EpochMs(3_000), 50_000, 35_000))

    assert change is not None
    assert again is not None
    assert [(Status.OFF, 2_000), (Status.ON, 3_000)] == [(change.to, change.at), (again.to, again.at)]
    assert Status.ON is back.status
