"""Laws of every detector of the table, whatever the orders are."""

from itertools import pairwise

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.decisions import Status
from models.units import EpochMs
from rules import DETECTORS
from rules.detector import Change, DetectorState, Sample
from rules.settings import DetectorSettings

SETTINGS = DetectorSettings(orders_to_false_alarm=100)
KINDS = pytest.mark.parametrize("kind", sorted(DETECTORS))

counts = st.integers(0, 8).flatmap(lambda eligible: st.tuples(st.just(eligible), st.integers(0, eligible)))
pictures = st.lists(st.one_of(st.just((1, 1)), st.just((1, 0)), counts), max_size=120)
SWITCHES = [(1, 1)] * 40 + [(1, 0)] * 40 + [(1, 1)] * 40
"""A region that is on, off and on again: no law may hold only because nothing ever changes."""


def samples(picture: list[tuple[int, int]]) -> list[Sample]:
    """One bucket a second."""
    return [Sample(EpochMs(second * 1_000), *count) for second, count in enumerate(picture)]


def run(
    kind: str, stream: list[Sample], state: DetectorState | None = None
) -> tuple[DetectorState, list[tuple[EpochMs, Change]]]:
    """Feed samples; give the last state and (deciding bucket, change)."""
    state, changes = state or DetectorState(), []
    for sample in stream:
        state, change = DETECTORS[kind].step(SETTINGS, state, sample)
        if change is not None:
            changes.append((sample.start, change))
    return state, changes


@KINDS
@given(pictures)
@example(SWITCHES)
def test_changes_alternate_and_are_dated_back(kind: str, picture: list[tuple[int, int]]) -> None:
    """Each change leads away from what was believed, began by its deciding bucket, and ends in the state's status."""
    state, changes = run(kind, samples(picture))
    path = [Status.UNKNOWN, *(change.to for _, change in changes)]

    assert all(before is not after for before, after in pairwise(path))
    assert all(0 <= change.at <= decided for decided, change in changes)
    assert all(0 <= change.subsidised <= change.orders for _, change in changes)
    assert path[-1] is state.status
    assert picture != SWITCHES or len(changes) >= 3


@KINDS
@given(pictures, st.integers(0, 120))
@example(SWITCHES, 50)
def test_a_restart_anywhere_changes_nothing(kind: str, picture: list[tuple[int, int]], cut: int) -> None:
    """Stopping after any bucket and going on from the stored text gives the same states and changes."""
    stream = samples(picture)
    half, early = run(kind, stream[:cut])
    again = msgspec.json.decode(msgspec.json.encode(half), type=DetectorState)
    end, late = run(kind, stream[cut:], again)

    assert run(kind, stream) == (end, early + late)


@KINDS
@given(pictures)
def test_silence_is_no_evidence(kind: str, picture: list[tuple[int, int]]) -> None:
    """Buckets without orders, put in anywhere, change neither what is found nor the belief."""
    stream = samples(picture)
    heard = [sample for sample in stream if sample.eligible]

    assert run(kind, heard) == run(kind, stream)
