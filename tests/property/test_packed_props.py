"""A vector as one integer adds as its counters do."""

from hypothesis import given
from hypothesis import strategies as st

from cases.crediting import PHONES, ZONE, T, order
from models.attribution import Attribution, opened
from models.orders import Line, advance
from models.packed import LARGEST, one, reader
from models.rollup import Cells
from models.totals import GROUPS
from models.units import MAX_MICROS
from models.windows import Level, Scope

COUNTERS = st.sampled_from([(group, name) for group, names in GROUPS.items() for name in names])
PARTS = st.lists(st.tuples(COUNTERS, st.integers(-MAX_MICROS, MAX_MICROS)), max_size=30)


@given(PARTS)
def test_packed_vectors_add_as_counters_do(parts: list[tuple[tuple[str, str], int]]) -> None:
    """With either sign, in any group, whatever borrows between neighbours there are."""
    packed, plain = dict.fromkeys(GROUPS, 0), {group: [0] * len(names) for group, names in GROUPS.items()}
    for (group, name), amount in parts:
        packed[group] += amount * one(group, name)
        plain[group][GROUPS[group].index(name)] += amount

    assert {group: tuple(amounts) for group, amounts in plain.items()} == {
        group: reader(group)(amounts) for group, amounts in packed.items()
    }


@given(st.sampled_from([LARGEST, -LARGEST]))
def test_the_largest_sums_are_read_back(amount: int) -> None:
    """On both sides, next to each other."""
    for group, names in GROUPS.items():
        packed = sum(amount * one(group, name) for name in names)
        assert (amount,) * len(names) == reader(group)(packed)


def _huge(number: int) -> Line:
    """Make a line of the largest amount there may be, in one of three minutes."""
    event = order(order_id=f"{number}", placed_at=T + number % 3 * 60_000, amount_micros=MAX_MICROS, campaign_id="c")
    settings = Attribution(cap_micros=MAX_MICROS)
    line = advance(opened(event, settings), event, PHONES, settings.cap_micros)
    assert line is not None
    return line


@given(st.integers(0, 2), st.sampled_from([0, 1, 4_000, 9_300]))
def test_no_sum_outgrows_its_place(lost: int, gained: int) -> None:
    """Not even thousands of lines of a thousand million yuan each in one slice."""
    cells, line = Cells(ZONE), _huge(0)
    for _ in range(gained):
        cells.gain(line)
    for _ in range(lost):
        cells.lose(line)
    cells.gain(_huge(1))
    of_day = {
        name: amounts
        for ref, vectors in cells.vectors(None).items()
        for name, amounts in vectors.items()
        if (ref.scope, ref.bucket.level) == (Scope.CAMPAIGN, Level.DAY)
    }
    lines = gained - lost + 1

    placed, amount = (GROUPS["o"].index(name) for name in ("orders_placed", "gmv_placed_micros"))
    if not lines:
        assert {} == of_day
    else:
        assert (lines, lines * MAX_MICROS) == (of_day["o:c"][placed], of_day["o:c"][amount])
        assert lines * MAX_MICROS == of_day["d:c"][GROUPS["d"].index("total_gmv_micros")]
