"""A short fuzz of the ingest line with Hypothesis; `make fuzz` runs the long one with atheris."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzed import KINDS, PART, Fuzzed, seeds

SEEDS = list(seeds())
LINE = Fuzzed()
KIND = st.integers(0, len(KINDS) - 1).map(lambda number: bytes([number]))


@st.composite
def slices(draw: st.DrawFn) -> bytes:
    """Draw a good slice with bytes cut out and spliced in, or no slice at all."""
    raw = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(1, len(raw)))
        raw = raw[:at] + draw(st.binary(max_size=6)) + raw[at + draw(st.integers(0, 9)) :]
    return draw(st.sampled_from([raw, raw + PART + raw[1:]]) | st.binary(max_size=64))


@settings(max_examples=400, deadline=None)
@given(data=slices() | st.tuples(KIND, st.binary(max_size=200)).map(b"".join))
def test_no_bytes_break_the_ingest_line(data: bytes) -> None:
    """Whatever a slice holds, it is counted or refused with a reason, and both judges agree."""
    LINE.feed(data)


def test_the_seeds_are_taken_whole() -> None:
    """A fuzzer that starts from refused records only would not get past the first brace."""
    line = Fuzzed()
    for seed in SEEDS:
        line.feed(seed)

    assert {f"accepted:{kind}" for kind in KINDS} == line.accepted()
