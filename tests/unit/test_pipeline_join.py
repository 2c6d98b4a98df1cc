"""Clicks and orders through the whole ingest line: the same totals whichever comes first, and whoever reads them."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from cases.ingesting import AT, CLICKS, ORDERS, World, click, order, part
from models.errors import ServiceUnavailable
from models.totals import Totals
from models.units import DAY_MS, HOUR_MS, EpochMs
from models.windows import Scope, cover, span_of
from streams.ports import Applied, BatchWrite, Joined, Reply, TopicPartition
from streams.settings import Settings, load
from streams.store.memory_store import MemoryStore

CAMPAIGNS = TopicPartition("ads.campaigns.v1", 0)
CLICKED = [
    click(
        number, user_id=f"u{number % 3}", at=AT - number * HOUR_MS, campaign_id=f"c{number % 4}", sku=f"s{number % 2}"
    )
    for number in range(40)
]
PLACED = [
    order(number, order_id=f"o{number}", user_id=f"u{number % 3}", sku="s0", placed_at=AT - number * 7 * HOUR_MS)
    for number in range(20)
] + [
    order(100 + number, "paid", order_id=f"o{number}", user_id=f"u{number % 3}", sku="s0", paid_micros=900_000,
          placed_at=AT - number * 7 * HOUR_MS)
    for number in range(0, 20, 2)
]  # fmt: skip


async def claimed(store: MemoryStore, settings: Settings | None = None) -> World:
    """A new worker on a store, which has claimed its partitions."""
    world = World(settings or load(), store)
    await world.claim()
    return world


async def everything(store: MemoryStore) -> dict[tuple[Scope, str], Totals]:
    """Every member of every scope, over all that is kept."""
    zone = load().zone
    out: dict[tuple[Scope, str], Totals] = {}
    for scope in Scope:
        buckets = cover(span_of("all", EpochMs(AT), zone), scope, EpochMs(AT), zone)
        out |= {(scope, member): totals for member, totals in (await store.totals(scope, buckets)).items()}
    return out


async def read(
    steps: Sequence[tuple[TopicPartition, int, int]], *, restarts: bool = False
) -> dict[tuple[Scope, str], Totals]:
    """Feed stretches of the two logs, each to a new worker if told so."""
    store = MemoryStore(load().zone)
    world = await claimed(store)
    for tp, first, stop in steps:
        if restarts:
            world = await claimed(store)
        await world.pipeline.ingest(part(tp, first, (CLICKED if tp is CLICKS else PLACED)[first:stop]))
    return await everything(store)


CLICKS_FIRST = [(CLICKS, 0, 40), (ORDERS, 0, 30)]


@pytest.mark.parametrize("restarts", [False, True], ids=["one-worker", "restarts"])
@pytest.mark.parametrize(
    "steps",
    [
        [(ORDERS, 0, 30), (CLICKS, 0, 40)],
        [(CLICKS, 0, 10), (ORDERS, 0, 15), (CLICKS, 10, 40), (ORDERS, 15, 30)],
        [step for n in range(10) for step in ((ORDERS, 3 * n, 3 * n + 3), (CLICKS, 4 * n, 4 * n + 4))],
    ],
    ids=["orders-first", "alternating", "in-small-steps"],
)
async def test_whichever_comes_first(steps: list[tuple[TopicPartition, int, int]], restarts: bool) -> None:
    """Totals follow from the records, not from the order in which the two topics are read."""
    expected = await read(CLICKS_FIRST)
    by_campaign = sum(totals.total_orders for (scope, _), totals in expected.items() if scope is Scope.CAMPAIGN)

    assert by_campaign > 5
    assert expected == await read(steps, restarts=restarts)


async def test_both_topics_at_once() -> None:
    """One worker's two agents meet in the store, and neither takes the other for a stranger."""

    class Counting(MemoryStore):
        def __init__(self) -> None:
            super().__init__(load().zone)
            self.replies: list[Reply] = []

        async def join(self, tp, lines, visits) -> Joined:  # type: ignore[no-untyped-def]
            """Let others run first, as a network does."""
            joined = await super().join(tp, lines, visits)
            await asyncio.sleep(0)
            return joined

        async def apply(self, write: BatchWrite) -> Applied:
            """Remember the reply."""
            answer = await super().apply(write)
            self.replies.append(answer.reply)
            return answer

    store = Counting()
    world = await claimed(store)

    async def feed(tp: TopicPartition, log: Sequence[bytes]) -> None:
        for first in range(0, len(log), 3):
            await world.pipeline.ingest(part(tp, first, log[first : first + 3]))

    await asyncio.gather(feed(CLICKS, CLICKED), feed(ORDERS, PLACED))

    assert {Reply.APPLIED} == set(store.replies)
    assert await read(CLICKS_FIRST) == await everything(store)


class Busy(MemoryStore):
    """Another worker writes the other topic between every reading of a slice and its writing, while it has some."""

    def __init__(self) -> None:
        super().__init__(load().zone)
        self.other: World | None = None
        self.steps: list[tuple[TopicPartition, int, int]] = []

    async def apply(self, write: BatchWrite) -> Applied:
        """Let the other one in first."""
        other, self.other = self.other, None
        if other is not None and self.steps:
            tp, first, stop = self.steps.pop(0)
            await other.pipeline.ingest(part(tp, first, (CLICKED if tp is CLICKS else PLACED)[first:stop]))
            self.other = other
        return await super().apply(write)


@pytest.mark.parametrize("mine", [CLICKS, ORDERS], ids=["clicks", "orders"])
async def test_another_worker_in_between_is_a_conflict_that_is_solved(mine: TopicPartition) -> None:
    """Both get through, however often they meet, and the totals are those of one worker."""
    store = Busy()
    world, store.other = await claimed(store), World(load(), store)
    theirs = ORDERS if mine is CLICKS else CLICKS
    await store.other.pipeline.claim(theirs)
    end = 30 if theirs is ORDERS else 40
    store.steps = [(theirs, first, first + 5) for first in range(0, end, 5)]
    await world.pipeline.ingest(part(mine, 0, CLICKED if mine is CLICKS else PLACED))

    assert [] == store.steps
    assert await read(CLICKS_FIRST) == await everything(store)


async def test_a_peer_that_never_pauses_is_trouble_and_not_the_end() -> None:
    """A slice that cannot get in is put off, so that the worker says so and tries again."""

    class Contested(MemoryStore):
        def __init__(self) -> None:
            super().__init__(load().zone)
            self.sizes: list[int] = []

        async def apply(self, write: BatchWrite) -> Applied:
            self.sizes.append(write.next_offset - write.first)
            return Applied(Reply.CONFLICT, None)

    store = Contested()
    world = await claimed(store)
    with pytest.raises(ServiceUnavailable, match="another worker keeps changing"):
        await world.pipeline.ingest(part(CLICKS, 0, CLICKED))

    assert [40, 20, 10, 5, 2, 1, 1] == store.sizes[:7]


def campaign(skus: list[str]) -> bytes:
    """A record of campaign `c1`."""
    body = {
        "campaign_id": "c1", "event_id": "k1", "at": AT, "region": "unknown", "name": "n", "plan_type": "subsidy",
        "channel": "search", "daily_budget_micros": 5, "regions": None, "region_addressable": True, "skus": skus,
        "category": "phone", "version": 1,
    }  # fmt: skip
    return json.dumps(body).encode()


class Asked(MemoryStore):
    """Remembers how often the campaigns were read."""

    asked = 0

    async def facts(self, kind: str) -> dict[str, str]:
        """Count, and answer."""
        self.asked += kind == "campaigns"
        return await super().facts(kind)


async def test_a_click_without_a_sku_asks_what_its_campaign_promotes() -> None:
    """Campaigns are read when a credit needs them, and again when they changed or a second has gone by."""
    store, asked = Asked(load().zone), []
    world = await claimed(store)
    await world.pipeline.claim(CAMPAIGNS)
    steps = [
        (CAMPAIGNS, 0, campaign(["s1"])),
        (CLICKS, 0, click(0, sku="s0", at=AT - DAY_MS)),
        (ORDERS, 0, order(0, order_id="a", user_id="u1", sku="s0")),
        (CLICKS, 1, click(1, at=AT - 2)),
        (ORDERS, 1, order(1, order_id="b", user_id="u1", sku="s0")),
        (CAMPAIGNS, 1, campaign(["s0"])),
        (ORDERS, 2, order(2, order_id="c", user_id="u1", sku="s0")),
    ]
    for tp, offset, value in steps:
        await world.pipeline.ingest(part(tp, offset, [value]))
        asked.append(store.asked)
    totals = await world.totals()

    assert [0, 0, 0, 1, 1, 1, 2] == asked
    assert (3, 1) == (totals.total_orders, totals.direct_orders)
