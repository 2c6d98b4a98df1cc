"""Laws of the mapping: amounts and times are exact, whatever the digits."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from models.units import MICROS_PER_UNIT
from streams.files.cells import time_converter, to_micros, to_region
from streams.files.mapping_file import TimeSpec

micros = st.integers(-(10**15), 10**15)


@given(micros)
def test_decimal_text_of_micros_comes_back(amount: int) -> None:
    """An amount written in yuan with six places is that amount again."""
    text = f"{Decimal(amount) / MICROS_PER_UNIT:.6f}"

    assert amount == to_micros(text, Decimal(MICROS_PER_UNIT))


@given(st.integers(0, 10**6))
def test_price_per_thousand_is_exact(price: int) -> None:
    """A price in fen per 1,000 impressions is ten micros a unit, without a remainder."""
    assert 10 * price == to_micros(str(price), Decimal("0.00001") * MICROS_PER_UNIT)


@given(st.text(max_size=60))
def test_any_text_is_an_integer_or_stays(text: str) -> None:
    """No text raises, and only whole numbers of micros become numbers."""
    value = to_micros(text, Decimal(MICROS_PER_UNIT))

    assert value == text or isinstance(value, int)


@given(st.text(max_size=40))
def test_any_time_text_is_an_integer_or_stays(text: str) -> None:
    """No text raises, whatever the format."""
    for spec in (
        TimeSpec(time="iso", zone="Asia/Shanghai"),
        TimeSpec(time="epoch_s"),
        TimeSpec(time="epoch_ms"),
        TimeSpec(time="%Y%m%d%H%M%S%f", zone="UTC"),
    ):
        value = time_converter(spec)(text)
        assert value == text or isinstance(value, int)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001  # the strategy wants naive bounds
    st.integers(-12 * 60, 14 * 60),
)
def test_iso_times_with_an_offset_are_instants(naive: datetime, offset: int) -> None:
    """The offset in the text counts, the zone of the mapping does not."""
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=offset)))
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)

    value = time_converter(TimeSpec(time="iso", zone="Asia/Shanghai"))(moment.isoformat())

    assert since // timedelta(milliseconds=1) == value


@given(st.text(max_size=20))
def test_any_region_is_text(text: str) -> None:
    """A region that is not known stays as it is written, or becomes what the mapping says."""
    assert isinstance(to_region(text), str)
    assert to_region(text, "unknown") == "unknown" or len(str(to_region(text, "unknown"))) == 6
