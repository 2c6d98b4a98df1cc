"""Law: on any sequence of calls Redis answers as the memory store does, which is the definition of correct."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from cases.writes import KINDS as SERVERS
from models.totals import AD_COUNTERS, GROUPS
from models.units import DAY_MS, MINUTE_MS, SECOND_MS, EpochMs
from models.windows import Bucket, Level, Scope
from streams.ports import BatchWrite, BucketRef, Fact, LineSwap, LogEntry, OutboxEntry, TopicPartition
from streams.settings import RedisSettings
from streams.store.memory_store import MemoryStore
from streams.store.redis_store import RedisStore

T = TypeVar("T")

ZONE = ZoneInfo("Asia/Shanghai")
NOON = EpochMs(1_735_704_000_000)
DAYS = [EpochMs(1_735_660_800_000), EpochMs(1_735_660_800_000 + DAY_MS)]
BUCKETS = [
    Bucket(Level.MINUTE, NOON),
    Bucket(Level.MINUTE, EpochMs(NOON + MINUTE_MS)),
    Bucket(Level.HOUR, NOON),
    Bucket(Level.DAY, DAYS[0]),
]
SECONDS = [EpochMs(NOON + SECOND_MS * at) for at in range(3)]
# Two shards: of the numbers, 0 and 2 share one.
PARTITIONS = [
    TopicPartition("ads.clicks.v1", 0),
    TopicPartition("ads.clicks.v1", 1),
    TopicPartition("shop.orders.v1", 1),
    TopicPartition("shop.orders.v1", 2),
]
KINDS, LOGS, NAMES = ["campaigns", "results"], ["shifts", "held"], ["a", "b", "计:1"]

amounts = st.one_of(
    st.integers(-5, 5), st.integers(-(10**19), 10**19), st.sampled_from([2**52, 2**53, 2**61, 2**62, 2**63])
)
fields = st.builds("{}:{}".format, st.sampled_from(AD_COUNTERS), st.sampled_from(NAMES))
cells = st.builds("{}:{}".format, st.sampled_from(list(GROUPS)), st.sampled_from(NAMES))
refs = st.builds(BucketRef, st.sampled_from(list(Scope)), st.sampled_from(BUCKETS))
writes = st.fixed_dictionaries(
    {
        "head": st.none() | st.sampled_from(SECONDS),
        "now": st.integers(0, 9),
        "caught_up": st.booleans(),
        "allow_gap": st.booleans(),
        "begun": st.booleans(),
        "deltas": st.dictionaries(refs, st.dictionaries(fields, amounts, max_size=4), max_size=3),
        "vectors": st.dictionaries(
            refs, st.dictionaries(cells, st.lists(amounts, max_size=14), max_size=3), max_size=3
        ),
        "evidence": st.dictionaries(
            st.sampled_from(SECONDS),
            st.dictionaries(st.sampled_from(NAMES), st.tuples(st.integers(-2, 9), st.integers(-2, 9)), max_size=2),
            max_size=2,
        ),
        # A fact key belongs to one partition, as Kafka keys do: which shard is last does not matter then.
        "facts": st.lists(st.builds(Fact, st.sampled_from(KINDS), st.just(""), st.sampled_from(NAMES)), max_size=2),
        "tallies": st.dictionaries(st.sampled_from(NAMES), amounts, max_size=2),
    }
)
swaps = st.builds(
    LineSwap,
    st.sampled_from(DAYS),
    st.sampled_from(NAMES),
    st.none() | st.sampled_from(["x", "y"]),
    st.sampled_from(["x", "y"]),
)
visits = st.dictionaries(
    st.sampled_from(DAYS), st.dictionaries(st.sampled_from(NAMES), st.text(max_size=3), max_size=3), max_size=2
)
entries = st.builds(
    OutboxEntry, st.sampled_from(NAMES), st.sampled_from(KINDS), st.text(max_size=3), st.text(max_size=3)
)
log_lines = st.builds(LogEntry, st.sampled_from(LOGS), st.sampled_from(NAMES), st.text(max_size=3))


class TwoStores(RuleBasedStateMachine):
    """Does everything twice and compares the answers."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.memory = MemoryStore(ZONE)
        self.redis = self.run(RedisStore.connect(RedisSettings(url=self.url, shards=2), ZONE))
        self.run(self.redis._ask("FLUSHALL"))

    def teardown(self) -> None:
        """Close the connection and the loop."""
        self.run(self.redis.close())
        self.runner.close()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for one call."""
        return self.runner.run(call)

    def both(self, method: str, *args: object) -> object:
        """Call both stores and give their common answer."""
        expected = self.run(getattr(self.memory, method)(*args))
        assert expected == self.run(getattr(self.redis, method)(*args))
        return expected

    @rule(tp=st.sampled_from(PARTITIONS))
    def claim(self, tp: TopicPartition) -> None:
        """A new owner."""
        self.both("claim", tp)

    @rule(
        tp=st.sampled_from(PARTITIONS),
        back=st.sampled_from([0, 0, 0, 0, -1, 1]),
        first=st.sampled_from([0, 0, 0, -1, 1]),
        length=st.integers(0, 3),
        parts=writes,
        lines=st.lists(swaps, max_size=2, unique_by=lambda swap: swap[:2]),
        seen=visits,
        true_olds=st.booleans(),
        version=st.sampled_from([None, 0, 0, 0, 1, -1]),
    )
    def apply(
        self,
        tp: TopicPartition,
        back: int,
        first: int,
        length: int,
        parts: dict[str, Any],
        lines: list[LineSwap],
        seen: dict[EpochMs, dict[str, str]],
        *,
        true_olds: bool,
        version: int | None,
    ) -> None:
        """A slice, mostly one that fits, by an owner that is mostly the last."""
        at = self.memory._progress[tp].next_offset if tp in self.memory._progress else 3
        start = max(at + first, 0)
        # The memory store has one shard, so keys of lines and visits are made the partition's own.
        lines = [line._replace(key=f"{line.key}:{tp}") for line in lines]
        seen = {day: {f"{user}:{tp.partition}": text for user, text in texts.items()} for day, texts in seen.items()}
        if true_olds:
            olds = self.run(self.memory.lines(tp, [line[:2] for line in lines]))
            lines = [line._replace(old=old) for line, old in zip(lines, olds, strict=True)]
        parts = parts | {"facts": [fact._replace(key=str(tp)) for fact in parts["facts"]]}
        epoch = self.memory._epochs.get(tp, 0) + back
        join = None if version is None else max(self.memory._joins.get(tp.partition, 0) + version, 0)
        place: dict[str, Any] = {"tp": tp, "epoch": epoch, "first": start, "next_offset": start + length}
        self.both("apply", BatchWrite(**place, lines=lines, visits=seen, join=join, **parts))
        self.both("join", tp, [line[:2] for line in lines], {day: list(texts) for day, texts in seen.items()})
        self.both("lines", tp, [line[:2] for line in lines])

    @rule(back=st.sampled_from([0, 0, 0, 1]), out=st.lists(entries, max_size=3), log=st.lists(log_lines, max_size=3))
    def swap_state(self, back: int, out: list[OutboxEntry], log: list[LogEntry]) -> None:
        """A decision, mostly from the last version."""
        version = self.memory._version - back
        self.both("swap_state", version, f"state {version}", out, log)

    @rule(names=st.lists(st.sampled_from(NAMES), max_size=2))
    def mark_sent(self, names: list[str]) -> None:
        """Acknowledged entries."""
        self.both("mark_sent", names)

    @rule(kind=st.sampled_from(KINDS), tp=st.sampled_from(PARTITIONS))
    def forget(self, kind: str, tp: TopicPartition) -> None:
        """A fact that nobody needs."""
        self.both("forget", kind, [str(tp)])

    @rule(on=st.booleans())
    def set_switch(self, *, on: bool) -> None:
        """The kill switch."""
        self.both("set_switch", on, "operator")

    @rule(ahead=st.sampled_from([0, 3_601_000, 3_602_000, 4 * 3_600_000, 30 * 3_600_000, 41 * DAY_MS, 50 * DAY_MS]))
    def sweep(self, ahead: int) -> None:
        """A sweep; how many keys that is depends on the shards, what is left does not."""
        at = EpochMs(NOON + ahead)
        swept = self.run(self.memory.sweep(at))
        assert (swept > 0) == (self.run(self.redis.sweep(at)) > 0)

    @invariant()
    def every_reading_agrees(self) -> None:
        """Whatever is asked, both say the same."""
        self.both("progress")
        for scope in Scope:
            self.both("totals", scope, BUCKETS)
        for kind in KINDS:
            self.both("facts", kind)
        self.both("tallies")
        for log in LOGS:
            self.both("read_log", log, 2)
        self.both("load_state")
        self.both("outbox", 3)
        self.both("switch")
        self.both("evidence", SECONDS[0], SECONDS[2], 1)
        self.both("evidence", SECONDS[1], EpochMs(SECONDS[2] + 1))


@pytest.fixture(params=SERVERS)
def two_stores(request: pytest.FixtureRequest) -> type[TwoStores]:
    """The machine with a server to talk to."""
    url = request.getfixturevalue(f"{request.param}_server").url
    return type("TwoStoresHere", (TwoStores,), {"url": url})


def test_redis_answers_as_memory_does(two_stores: type[TwoStores]) -> None:
    """Any order of claims, slices, decisions and sweeps leaves both stores with the same answers."""
    run_state_machine_as_test(
        two_stores,
        settings=settings(
            max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
