"""Money converts exactly."""

from decimal import Decimal

from models.units import MAX_MICROS, Micros, to_currency


def test_micros_are_a_millionth_of_the_currency() -> None:
    """No binary fraction comes in between."""
    assert Decimal("0.000001") == to_currency(Micros(1))
    assert Decimal(1_000_000_000) == to_currency(Micros(MAX_MICROS))
