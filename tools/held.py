"""Holds a store to the batch oracle: every cell that is still kept, counter by counter and ratio by ratio."""

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.kpis import KPIS, format_ratio
from models.totals import Totals
from models.units import SECOND_MS, EpochMs
from models.windows import Bucket, Level, Scope, end_of, is_kept
from oracle import RATIOS, Cells, rounded
from streams.ports import ReadStore

ZONE: Final = ZoneInfo("Asia/Shanghai")
AT_ONCE: Final = 50


class Held(NamedTuple):
    """What came of holding a store to the oracle.

    Attributes:
        cells: cells compared; counters compared among them; ratios compared.
        wrong: what differs, one sentence each.
    """

    cells: int
    counters: int
    ratios: int
    wrong: list[str]


async def hold(store: ReadStore, expected: Cells) -> Held:
    """Compare every cell that is still kept with what the oracle counts."""
    heads = [step.head for step in (await store.progress()).values() if step.head is not None]
    # The decide line sweeps up to the end of the second that holds the head.
    places = list(kept_buckets(expected, EpochMs(max(heads) + SECOND_MS)))
    found: list[dict[str, Totals]] = []
    for first in range(0, len(places), AT_ONCE):
        part = places[first : first + AT_ONCE]
        found += await asyncio.gather(*(store.totals(scope, [bucket]) for scope, bucket in part))
    return compare(expected, dict(zip(places, found, strict=True)))


def kept_buckets(expected: Cells, head: EpochMs) -> Iterator[tuple[Scope, Bucket]]:
    """Give every bucket that is kept, from the oldest that holds anything to the newest, empty ones included."""
    for scope in Scope:
        for level in Level:
            starts = [start for of, at, start in expected if (of, at) == (scope.value, level.value)]
            at, last = min(starts), max(starts)
            while at <= last:
                bucket = Bucket(level, EpochMs(at))
                if is_kept(scope, bucket, head, ZONE):
                    yield scope, bucket
                at = end_of(bucket, ZONE)


def compare(expected: Cells, found: dict[tuple[Scope, Bucket], dict[str, Totals]]) -> Held:
    """Compare counter by counter and, of hours and days, ratio by ratio."""
    cells = counters = ratios = 0
    wrong: list[str] = []
    for (scope, bucket), by_member in found.items():
        ours = expected.get((scope.value, bucket.level.value, bucket.start), {})
        for member in sorted(ours.keys() | by_member.keys()):
            want, have = ours.get(member, {}), by_member.get(member, Totals())
            cells += 1
            counters += len(want)
            where = f"{scope.value} {bucket.level.value} {bucket.start} {member}"
            if want != have.nonzero():
                names = sorted(want.keys() | have.nonzero().keys())
                differ = ((name, want.get(name, 0), getattr(have, name)) for name in names)
                wrong += [f"{where}: {name} is {b}, not {a}" for name, a, b in differ if a != b]
            if bucket.level is not Level.MINUTE:
                ratios += len(KPIS)
                wrong += [f"{where}: {text}" for text in wrong_ratios(want, have)]
    return Held(cells, counters, ratios, wrong)


def wrong_ratios(want: dict[str, int], have: Totals) -> Iterator[str]:
    """Give the ratios of the product that are not the oracle's to the sixth place."""
    for kpi in KPIS:
        printed, exact = format_ratio(kpi.compute(have), 6), rounded(RATIOS[kpi.name](want), 6)
        if printed != exact:
            yield f"{kpi.name} is {printed}, not {exact}"
