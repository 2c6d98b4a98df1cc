"""What a slice weighs against the bound on what is in hand."""

import pytest

from cases.ingesting import CLICKS, part
from streams.transport.slices import RECORD_BYTES, weight_of


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], 0),
        ([None, b"", b"x" * 300], 3),
        ([b"x" * RECORD_BYTES * 8, b"x" * RECORD_BYTES * 5, None], 13),
    ],
    ids=["a stretch without records", "small records", "large records"],
)
def test_a_slice_weighs_its_records_or_its_kilobytes(values: list[bytes | None], expected: int) -> None:
    """Large records count as several, so that a bound on records is one on memory."""
    assert expected == weight_of(part(CLICKS, 0, values))
