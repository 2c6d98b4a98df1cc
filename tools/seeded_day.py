"""A store filled with one plausible day, for tests and pictures of the pages: figures are made up, shapes are real."""

import json
import random
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from cases.writes import split
from models.decisions import (
    BudgetShift,
    Evidence,
    HeldShift,
    Leg,
    ShiftEvidence,
    ShiftResult,
    Status,
    Transition,
    stable_id,
)
from models.regions import PROVINCES
from models.units import MINUTE_MS, EpochMs
from models.windows import Scope, buckets_of
from rules.detector import DetectorState
from rules.state import Claim, DecideState, RegionState
from streams.ports import BatchWrite, BucketRef, Fact, LogEntry, Store, TopicPartition

ZONE = ZoneInfo("Asia/Shanghai")
CLICKS = TopicPartition("ads.clicks.v1", 0)
HOSTILE = "<img src=x onerror=alert(1)>\u202e"
CAMPAIGNS = {
    "c-sub-1": "小米17 国补 快车",
    "c-sub-2": "REDMI K90 国补 触点",
    "c-reg-1": "小米17 常规 快车",
    "c-bad": HOSTILE,
}
OFF = ("440000", "420000", "450000", "520000", "620000", "640000")
PARTIAL = ("320000", "130000")
UNKNOWN = ("540000", "630000")
RECENT = {"440000": 11, "610000": 29}


class SeededDay:
    """Writes into a store as the two lines would, without Kafka."""

    def __init__(self, store: Store, now: EpochMs, event_time: EpochMs | None = None) -> None:
        """Take the store, the wall clock, and the newest event time if it differs from the clock."""
        self.store = store
        self.now = event_time or now
        self._ahead = self.now - now
        self._offset = 0
        self._epoch = 0
        self._random = random.Random(17)

    async def fill(self) -> None:
        """Write three hours of minutes, campaigns, statuses and decisions."""
        self._epoch = (await self.store.claim(CLICKS)).epoch
        for back in range(180, -1, -12):
            at = EpochMs(self.now - back * MINUTE_MS)
            deltas: dict[BucketRef, dict[str, int]] = {}
            for province in PROVINCES:
                orders = round(province.weight * self._random.uniform(0.05, 0.2))
                _event(deltas, at, province.adcode, self._campaign(), self._clicks(province.weight), orders)
            await self._write(at, deltas)
        facts = tuple(Fact("campaigns", key, f'{{"name": {_quoted(name)}}}') for key, name in CAMPAIGNS.items())
        await self._write(self.now, {}, facts)
        await self.decide(self.now, first=True)

    async def tick(self, region: str = "110000", orders: int = 3) -> None:
        """Let a second pass in which one region sells something."""
        self.now = EpochMs(self.now + 1_000)
        deltas: dict[BucketRef, dict[str, int]] = {}
        _event(deltas, self.now, region, "c-sub-1", 11, orders)
        await self._write(self.now, deltas)

    async def decide(self, at: EpochMs, first: bool = False, off: str | None = None) -> None:
        """Write the state and the log; `off` turns a region off, answered by a shift that an adjuster applied."""
        version, _ = await self.store.load_state()
        log = list(_first_log(at)) if first else []
        regions = dict(_regions(at))
        if off is not None:
            log += _turn_off(off, at)
            regions[off] = RegionState(status=Status.OFF, since=at - MINUTE_MS, decided_at=at, cause="orders")
        state = DecideState(position=EpochMs(at - 2_000), status_version=3, decision_epoch=1, regions=regions)
        await self.store.swap_state(version, state.to_json(), (), log)

    def _campaign(self) -> str:
        return self._random.choice(list(CAMPAIGNS))

    def _clicks(self, weight: int) -> int:
        return round(weight * self._random.uniform(8, 20))

    async def _write(self, at: EpochMs, deltas: dict[BucketRef, dict[str, int]], facts: tuple[Fact, ...] = ()) -> None:
        plain, vectors = split(deltas)
        write = BatchWrite(
            tp=CLICKS,
            epoch=self._epoch,
            first=self._offset,
            next_offset=self._offset + 100,
            head=at,
            now=EpochMs(self.now - self._ahead),
            deltas=plain,
            vectors=vectors,
            facts=facts,
            tallies={"accepted:clicks": 99, "rejected:clicks:not_json": 1},
        )
        self._offset += 100
        applied = await self.store.apply(write)
        assert applied.reply.name == "APPLIED", applied  # noqa: S101  a test's own tool


def _event(
    deltas: dict[BucketRef, dict[str, int]], at: EpochMs, region: str, campaign: str, clicks: int, orders: int
) -> None:
    counters = {
        "impressions": clicks * 40,
        "clicks": clicks,
        "spend_micros": clicks * 397_000 + 1_234,
        "orders_placed": orders * 2,
        "gmv_placed_micros": orders * 4_500_000_000,
        "direct_orders": orders,
        "direct_gmv_micros": orders * 2_233_000_000,
        "total_orders": orders * 2,
        "total_gmv_micros": orders * 4_100_000_000,
        "total_capped_micros": orders * 3_900_000_000,
        "click_total_orders": orders * 2,
        "click_total_gmv_micros": orders * 3_800_000_000,
    }
    counters |= {f"{name}_paid_micros": counters[f"{name}_gmv_micros"] * 8 // 10 for name in ("direct", "total")}
    members = (region, campaign, f"{region}:{campaign}")
    for scope, member in zip(Scope, members, strict=True):
        for bucket in buckets_of(at, ZONE):
            cells = deltas.setdefault(BucketRef(scope, bucket), {})
            for name, amount in counters.items():
                if amount:
                    cells[f"{name}:{member}"] = cells.get(f"{name}:{member}", 0) + amount


def _quoted(text: str) -> str:
    return json.dumps(text)


def _regions(at: EpochMs) -> Iterator[tuple[str, RegionState]]:
    for place, province in enumerate(PROVINCES):
        code = str(province.adcode)
        if code in UNKNOWN:
            continue
        status = Status.OFF if code in OFF else Status.PARTIAL if code in PARTIAL else Status.ON
        since = at - RECENT.get(code, (place * 97 % 50 + 1) * 60) * MINUTE_MS
        taken = {Status.ON: 71, Status.OFF: 1, Status.PARTIAL: 41}[status]
        doubt = code == "120000"
        yield (
            code,
            RegionState(
                status=status,
                since=since,
                decided_at=since + 40_000,
                cause="orders",
                orders=100,
                subsidised=taken,
                claim=Claim(since, since, "a-1", Status.ON, "gov.gx") if code == "450000" else None,
                alerted=code == "450000",
                detector=DetectorState(status=status, suspect=doubt, run_orders=9, run_subsidised=3),
            ),
        )


def transition(region: str, to: Status, at: EpochMs, recent: tuple[tuple[int, int], ...]) -> Transition:
    """Give a transition found in the orders."""
    return Transition(
        transition_id=stable_id("transition", region, to, at),
        category="phone",
        region=region,
        from_=Status.OFF if to is Status.ON else Status.ON,
        to=to,
        at=at - 3 * MINUTE_MS,
        decided_at=at,
        cause="orders",
        evidence=Evidence(
            orders=sum(n for _, n in recent), subsidised=sum(k for k, _ in recent), recent=recent, base_percent=70
        ),
        config_hash="c41f9e2b00112233",
    )


def _shift(cause: Transition, at: EpochMs) -> BudgetShift:
    def leg(campaign: str, region: str, delta: int, reason: str) -> Leg:
        return Leg(
            campaign=campaign,
            region=region,
            old_micros=20_000_000_000,
            old_version=1,
            new_micros=20_000_000_000 + delta,
            delta_micros=delta,
            reasons=(reason,),
        )

    legs = (
        leg("c-sub-1", cause.region, -18_000_000_000, f"status_off:{cause.region}"),
        leg("c-sub-2", "510000,500000", 14_600_000_000, "value_percent:181"),
        leg("c-bad", "370000", 3_400_000_000, "value_percent:121"),
    )
    shift_id = stable_id("shift", cause.transition_id)
    return BudgetShift(
        shift_id=shift_id,
        plan_id=stable_id("plan", shift_id),
        plan_hash="h",
        decision_epoch=1,
        emitted_at=at,
        valid_until=at + 600_000,
        mode="dry_run",
        action="budget",
        category="phone",
        cause=cause.transition_id,
        reasons=(f"status_off:{cause.region}",),
        legs=legs,
        total_before_micros=60_000_000_000,
        total_after_micros=60_000_000_000,
        status_version=1,
        evidence=ShiftEvidence(window="24h", clicks=5_000, orders=400, spend_micros=1, value_micros=1),
        config_hash="c41f9e2b00112233",
    )


def _turn_off(region: str, at: EpochMs) -> list[LogEntry]:
    change = transition(region, Status.OFF, at, ((1, 1), (0, 4), (0, 3), (0, 5)))
    shift = _shift(change, at)
    answer = ShiftResult(
        shift_id=shift.shift_id, plan_id=shift.plan_id, consumer="example", result="applied", applied_version=2, at=at
    )
    return [
        LogEntry("transitions", change.transition_id, change.model_dump_json(by_alias=True)),
        LogEntry("shifts", shift.shift_id, shift.model_dump_json(by_alias=True)),
        LogEntry("results", f"{shift.shift_id}.applied", answer.model_dump_json()),
    ]


def _first_log(at: EpochMs) -> Iterator[LogEntry]:
    back = transition("610000", Status.ON, EpochMs(at - 26 * MINUTE_MS), ((0, 2), (2, 3), (4, 5), (5, 6)))
    yield LogEntry("transitions", back.transition_id, back.model_dump_json(by_alias=True))
    held = HeldShift(
        held_id=stable_id("held", back.transition_id),
        at=back.decided_at,
        category="phone",
        region="610000",
        cause=back.transition_id,
        code="cooldown",
        detail="the last shift for Shaanxi was 6 min ago; the cooldown is 20 min",
    )
    yield LogEntry("held", held.held_id, held.model_dump_json())
    yield from _turn_off("440000", EpochMs(at - 8 * MINUTE_MS))
