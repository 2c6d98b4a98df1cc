"""The quickest rows of the fault matrix, one fault each; `make chaos` plays all of them many times."""

from pathlib import Path

import pytest

from chaos import records, stores
from chaos.matrix import ROWS
from chaos.planted import calm
from chaos.rows import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

ONE_RUN = 0.01


def test_a_lost_tail_of_the_append_only_file_is_counted_again(tmp_path: Path) -> None:
    """Redis killed, the last kilobytes of its file cut: the worker goes back to where Redis stands."""
    assert [] == stores.tail_cut(Scene(tmp_path, None, ONE_RUN)).failures


def test_poison_is_one_dead_letter(tmp_path: Path) -> None:
    """A record that crashes the decoder is refused, everything else counts, and the worker lives."""
    assert [] == records.poison(Scene(tmp_path, None, ONE_RUN)).failures


def test_a_planted_bug_is_seen(tmp_path: Path) -> None:
    """The rows are no idle ones: a planted bug that loses a micro here and there turns the calmest of them red."""
    found = calm(Scene(tmp_path, "float_money", 1.0))

    assert found.lost == found.double == 0
    assert not found.green
    assert any("cells are wrong" in failure for failure in found.failures)


def test_the_matrix_names_every_row_but_the_soak() -> None:
    """Rows 1 to 28 are there; 24 belongs to the benchmarks."""
    numbers = {int(number.rstrip("ab")) for number in ROWS}

    assert set(range(1, 29)) - {24} == numbers
