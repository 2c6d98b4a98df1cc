"""Holds a store to the batch oracle: every cell that is still kept, counter by counter and ratio by ratio."""

# ruff: noqa: S101  the ground of tests asserts as tests do

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from models.kpis import KPIS, format_ratio
from models.roi import ALL, roi
from models.totals import Totals
from models.units import SECOND_MS, EpochMs
from models.windows import Bucket, Level, Scope, end_of, is_kept
from oracle import RATIOS, RETURNS, Cells, rounded
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
    names = [*RATIOS, *map(",".join, RETURNS)]
    wrong: list[str] = []
    for (scope, bucket), by_member in found.items():
        ours = expected.get((scope.value, bucket.level.value, bucket.start), {})
        for member in sorted(ours.keys() | by_member.keys()):
            want, have = ours.get(member, {}), by_member.get(member, Totals())
            cells += 1
            counters += len(want)
            where = f"{scope.value} {bucket.level.value} {bucket.start} {member}"
            if want != have.nonzero():
                either = sorted(want.keys() | have.nonzero().keys())
                differ = ((name, want.get(name, 0), getattr(have, name)) for name in either)
                wrong += [f"{where}: {name} is {b}, not {a}" for name, a, b in differ if a != b]
            if bucket.level is not Level.MINUTE:
                triples = zip(names, ratios_of(have), exact_ratios(want), strict=True)
                wrong += [f"{where}: {name} is {a}, not {b}" for name, a, b in triples if a != b]
                ratios += len(names)
    return Held(cells, counters, ratios, wrong)


def ratios_of(have: Totals) -> list[str]:
    """Give what the product makes of a cell, to the sixth place: the table's ratios, then every labelled return."""
    table = {kpi.name: kpi.compute(have) for kpi in KPIS}
    returns = {labels.text: roi(have, labels) for labels in ALL}
    assert (len(table), len(returns)) == (len(RATIOS), len(RETURNS)), "the oracle has other ratios"
    values = [*(table[name] for name in RATIOS), *(returns[",".join(key)] for key in RETURNS)]
    return [format_ratio(value, 6) for value in values]


def exact_ratios(want: dict[str, int]) -> list[str]:
    """Give the same of the oracle."""
    return [rounded(ratio(want)) for ratio in (*RATIOS.values(), *RETURNS.values())]
