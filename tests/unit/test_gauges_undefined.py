"""What is not defined yet is not exposed: no 0, no NaN."""

import asyncio

from models.units import EpochMs
from models.windows import BucketRef, Scope, buckets_of
from streams.gauges import ServeMetrics
from streams.ports import BatchWrite, TopicPartition
from streams.settings import Settings
from streams.store.memory_store import MemoryStore
from streams.web.snapshots import Snapshots

NOON = EpochMs(1_750_046_400_000)  # 2025-06-16 12:00 in Shanghai


async def exposed(counters: dict[str, int]) -> str:
    """What `serve` exposes when Guangdong has these totals and no other region has any."""
    settings = Settings()
    store, tp = MemoryStore(settings.zone), TopicPartition("ads.clicks.v1", 0)
    claim = await store.claim(tp)
    cells = {f"{name}:440000": amount for name, amount in counters.items()}
    deltas = {BucketRef(Scope.REGION, bucket): cells for bucket in buckets_of(NOON, settings.zone)}
    await store.apply(BatchWrite(tp=tp, epoch=claim.epoch, first=0, next_offset=1, head=NOON, now=NOON, deltas=deltas))
    snapshots = Snapshots(settings, lambda: NOON)
    snapshots.attach(store)
    return (await ServeMetrics(settings, snapshots).render(0)).decode()


def test_a_ratio_without_denominator_has_no_series() -> None:
    """Spend without clicks has a direct ROI of 0, but neither a cost per click nor one per order."""
    text = asyncio.run(exposed({"spend_micros": 5_000_000}))

    assert 'subsidywatch_region_spend_micros{region="440000",window="today"} 5e+06' in text
    assert 'subsidywatch_region_roi_direct_ratio{region="440000",window="today"} 0.0' in text
    assert "subsidywatch_region_cpc_currency{" not in text
    assert "subsidywatch_region_cpa_currency{" not in text
    assert " NaN" not in text


def test_a_region_without_events_has_no_sums() -> None:
    """Only regions with events have series of totals."""
    text = asyncio.run(exposed({"clicks": 1}))

    assert 'subsidywatch_region_clicks{region="320000"' not in text
