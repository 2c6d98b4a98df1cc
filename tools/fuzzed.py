"""Any bytes through decoder, fold and store in memory: what must never happen is an `AssertionError` or anything else.

The first byte says which topic, the rest is its records, parted by the control
character RS, which no JSON holds.
"""

from collections.abc import Coroutine, Iterator
from typing import TypeVar

from models.codec import decode, encode, judge
from models.errors import InvalidEvent
from models.events import CONTRACTS, TOPICS, Kind
from models.units import EpochMs
from streams.pipeline import Pipeline
from streams.ports import RecordSlice, TopicPartition
from streams.settings import Settings
from streams.sinks.list_sink import ListSink
from streams.store.memory_store import MemoryStore

PART = b"\x1e"
NOW = EpochMs(1_750_000_000_000)
KINDS = tuple(Kind)
FRESH_AFTER = 500
"""Slices after which a new store begins, so that it stays small."""

T = TypeVar("T")
Verdict = tuple[str, str] | dict[str, object]


class Fuzzed:
    """The ingest line over a store in memory, fed with one slice after the other."""

    def __init__(self) -> None:
        self._fed = 0
        self._renew()

    def accepted(self) -> set[str]:
        """Name the kinds of which something was counted, as the store does."""
        return {name for name in _finished(self._store.tallies()) if name.startswith("accepted:")}

    def _renew(self) -> None:
        self._sink, self._store = ListSink(), MemoryStore()
        self._pipeline = Pipeline(self._store, self._sink, Settings(), lambda: NOW)
        self._next = dict.fromkeys(KINDS, 0)
        for topic in TOPICS.values():
            _finished(self._pipeline.claim(TopicPartition(topic, 0)))

    def feed(self, data: bytes) -> None:
        """Feed a slice; anything that leaves here is a mistake of the program."""
        kind, values = KINDS[data[0] % len(KINDS)] if data else KINDS[0], data[1:].split(PART)
        bad = self._judged(kind, values)
        first, self._next[kind] = self._next[kind], self._next[kind] + len(values)
        part = RecordSlice(TopicPartition(TOPICS[kind], 0), first, self._next[kind], NOW, 1, values, None)
        before = len(self._sink.buried)
        _finished(self._pipeline.ingest(part))
        letters = self._sink.buried[before:]
        _hold(all(letter.reason != "crashed" for letter in letters), "a record crashed the line")
        _hold(bad <= {letter.offset - first for letter in letters}, "a refused record was not buried")
        self._fed += 1
        if self._fed % FRESH_AFTER == 0:
            self._renew()

    def _judged(self, kind: Kind, values: list[bytes]) -> set[int]:
        """Hold the decoder to the contract; give the positions of what both refuse."""
        decoded = decode(kind, values)
        actual: dict[int, Verdict] = {index: (why.reason, why.detail) for index, why in decoded.rejects}
        for index, event in zip(decoded.positions, decoded.events, strict=True):
            actual[index] = {name: getattr(event, name) for name in CONTRACTS[kind].model_fields}
            _hold(encode(event) == encode(decode(kind, [encode(event)]).events[0]), "an event is not read as written")
        expected = {index: _by_contract(kind, value) for index, value in enumerate(values)}
        _hold(expected == actual, "the decoder and the contract disagree")
        return {index for index, _ in decoded.rejects}


def _hold(truth: bool, otherwise: str) -> None:
    if not truth:
        raise AssertionError(otherwise)


def _by_contract(kind: Kind, value: bytes) -> Verdict:
    try:
        event = judge(kind, value)
    except InvalidEvent as why:
        return why.reason, why.detail
    return {name: getattr(event, name) for name in CONTRACTS[kind].model_fields}


def _finished(coroutine: Coroutine[object, None, T]) -> T:
    """Run what waits for nobody without an event loop, which would cost more than the work."""
    while True:
        try:
            coroutine.send(None)
        except StopIteration as done:
            result: T = done.value
            return result


def seeds() -> Iterator[bytes]:
    """Give a good slice of every kind, and some that are nearly good."""
    common = b'{"event_id":"e1","at":1750000000000,"region":"440000",'
    names = b'"campaign_id":"c1","user_id":"u1","spend_micros":5,"sku":"s1","category":"phone"}'
    line = b'"order_id":"o1","line":1,"placed_at":1750000000000,"quantity":1,"amount_micros":9,"user_id":"u1",'
    bodies: dict[Kind, list[bytes]] = {
        Kind.IMPRESSIONS: [common + names],
        Kind.CLICKS: [common + names, common + b'"spend_micros":1e3}'],
        Kind.ORDERS: [
            common + line + b'"status":"placed","subsidy_micros":0,"gift":false,"halo":true}',
            common + line + b'"status":"paid","paid_micros":7,"campaign_id":"c1","click_id":null}',
            common + line + b'"status":"refunded","refund_micros":3,"unit_price_micros":9,"brand":"b"}',
        ],
        Kind.ANNOUNCEMENTS: [
            common + b'"source":"s","state":"quota_hours","category":"phone","effective_at":1750000000000,'
            b'"daily_hours":"08:30-22:00","text":"\\u56fd"}'
        ],
        Kind.STOCK: [common + b'"sku":"s1","on_hand":0}'],
        Kind.CAMPAIGNS: [
            common + b'"campaign_id":"c1","name":"n","plan_type":"subsidy","channel":"search","daily_budget_micros":1,'
            b'"category":"phone","version":1,"regions":["440000"],"skus":["s1"]}'
        ],
        Kind.RESULTS: [common + b'"shift_id":"s","plan_id":"p","consumer":"c","result":"applied"}'],
    }
    for number, kind in enumerate(KINDS):
        yield bytes([number]) + PART.join([*bodies[kind], b"", b"[]"])
        for body in bodies[kind]:
            yield bytes([number]) + body
