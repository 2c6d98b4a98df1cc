"""Merging totals: buckets, replicas and replays may be added in any order and grouping."""

from hypothesis import given
from hypothesis import strategies as st

from models.totals import COUNTERS, Totals

totals = st.dictionaries(st.sampled_from(COUNTERS), st.integers(-(10**18), 10**18)).map(Totals.of)


@given(totals, totals, totals)
def test_order_and_grouping_do_not_matter(one: Totals, two: Totals, three: Totals) -> None:
    """Addition is commutative and associative, and the empty cell is its zero."""
    assert one + two == two + one
    assert (one + two) + three == one + (two + three)
    assert one == one + Totals() == Totals() + one


@given(st.lists(totals, max_size=6).flatmap(lambda parts: st.tuples(st.just(parts), st.permutations(parts))))
def test_a_sum_is_the_parts_added_in_any_order(both: tuple[list[Totals], list[Totals]]) -> None:
    """Many at once give what one after the other gives."""
    parts, shuffled = both
    expected = Totals()
    for part in parts:
        expected += part

    assert expected == Totals.sum(parts) == Totals.sum(shuffled)


@given(totals)
def test_what_is_not_zero_is_all_there_is(cell: Totals) -> None:
    """Storing only the counters that are not zero loses nothing."""
    assert cell == Totals.of(cell.nonzero())
    assert 0 not in cell.nonzero().values()


@given(totals)
def test_a_correction_undoes_what_it_corrects(cell: Totals) -> None:
    """The opposite of every counter brings a cell back to nothing, with no clamp at zero on the way."""
    opposite = Totals.of({name: -value for name, value in cell.nonzero().items()})

    assert Totals() == opposite + cell
