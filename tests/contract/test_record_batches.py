"""Reading whole batches gives what aiokafka's stock reader gives; aiokafka inside is still what we leaned on."""

import hashlib
import inspect
import struct
from collections.abc import Callable

import aiokafka.consumer.fetcher as fetcher
import faust.tables.recovery
import faust.transport.consumer
import faust.transport.drivers.aiokafka as driver
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streams.ports import Redriven
from streams.transport.record_batches import RecordBatches, RecordRun

TP = TopicPartition("ads.clicks.v1", 0)
CONTROL, TRANSACTIONAL = 0x20, 0x10
PRODUCER = 41


def batch(
    base: int, offsets: list[int], *, codec: int = 0, length: int | None = None, attributes: int = 0, producer: int = -1
) -> bytes:
    """Build one batch of the present format; `length` is how many offsets it stands for, as after compaction."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, producer, 0, 0, 1 << 20)
    for offset in offsets:
        key = struct.pack(">hh", 0, 0) if attributes & CONTROL else b"k%d" % offset
        builder.append(offset - base, 1_000 + offset, key, b"v%d" % offset if offset % 7 else None, [])
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, base)
    if length is not None:
        struct.pack_into(">i", raw, 23, length - 1)
    (had,) = struct.unpack_from(">h", raw, 21)
    struct.pack_into(">h", raw, 21, had | attributes)
    struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))
    return bytes(raw)


def legacy(base: int, count: int, *, magic: int) -> bytes:
    """Build messages of an old format, one by one."""
    builder = LegacyRecordBatchBuilder(magic, 0, 1 << 20)
    for step in range(count):
        builder.append(base + step, timestamp=1_000 + base + step, key=b"k", value=b"v%d" % (base + step))
    return bytes(builder.build())


def reader(cls: type, raw: bytes, at: int, *, aborted: list[tuple[int, int]] | None = None, level: int = 1) -> object:
    """Make a reader as the fetcher does."""
    return cls(TP, MemoryRecords(raw), aborted, at, None, None, True, level)


def flat(runs: list[RecordRun]) -> list[tuple[int, bytes | None, bytes | None]]:
    """Give offset, key and value of every record of runs."""
    out = []
    for run in runs:
        offsets = range(run.start, run.next_offset) if run.offsets is None else run.offsets
        out += list(zip(offsets, run.keys, run.values, strict=True))
    return out


def both(
    raw: bytes, at: int, *, aborted: list[tuple[int, int]] | None = None, level: int = 1
) -> tuple[list[tuple[int, bytes | None, bytes | None]], list[RecordRun]]:
    """Read with the stock reader and with ours, and check that both end at the same offset."""
    stock, ours = (
        reader(cls, raw, at, aborted=aborted, level=level) for cls in (fetcher.PartitionRecords, RecordBatches)
    )
    records = [(record.offset, record.key, record.value) for record in stock]  # type: ignore[attr-defined]
    runs = list(ours)  # type: ignore[call-overload]
    assert stock.next_fetch_offset == ours.next_fetch_offset  # type: ignore[attr-defined]
    return records, runs


@st.composite
def partitions(draw: st.DrawFn) -> tuple[bytes, int]:
    """A stretch of log, and where in its first batch reading starts: any codec, holes, control batches, old formats."""
    at = first = draw(st.integers(0, 50))
    raw = b""
    first_end = None
    old_format = draw(st.sampled_from([None, None, 0, 1]))
    for _ in range(draw(st.integers(1, 5))):
        length = draw(st.integers(1, 8))
        if old_format is not None:
            raw += legacy(at, length, magic=old_format)
        elif draw(st.integers(0, 3)) == 0:
            raw += batch(at, [at], attributes=CONTROL | TRANSACTIONAL, producer=PRODUCER)
            length = 1
        else:
            there = [at + step for step in range(length) if draw(st.booleans())]
            raw += batch(at, there, codec=draw(st.integers(0, 4)) if there else 0, length=length)
        first_end = first_end or (at + 1 if old_format is not None else at + length)
        at += length + draw(st.sampled_from([0, 0, 3]))
    return raw, draw(st.integers(first, (first_end or at) - 1))


@given(partitions())
def test_gives_the_records_of_the_stock_reader(log: tuple[bytes, int]) -> None:
    """Whatever the codec, the holes, the format and the starting offset: the same records, in runs that tile."""
    records, runs = both(*log)

    assert records == flat(runs)
    assert [run.start for run in runs[1:]] == [run.next_offset for run in runs[:-1]]


@given(st.lists(st.booleans(), min_size=1, max_size=5), st.sampled_from([0, 1]))
def test_honours_aborted_transactions(aborts: list[bool], level: int) -> None:
    """Under read_committed records of an aborted transaction are left out, otherwise kept, as in the stock reader."""
    raw, at, aborted = b"", 0, []
    for abort in aborts:
        raw += batch(at, [at, at + 1], attributes=TRANSACTIONAL, producer=PRODUCER)
        marker = struct.pack(">hh", 0, 0 if abort else 1)
        end = bytearray(batch(at + 2, [at + 2], attributes=CONTROL | TRANSACTIONAL, producer=PRODUCER))
        where = end.index(struct.pack(">hh", 0, 0), 61)
        end[where : where + 4] = marker
        struct.pack_into(">I", end, 17, calc_crc32c(bytes(end[21:])))
        raw += bytes(end)
        if abort:
            aborted.append((PRODUCER, at))
        at += 3
    records, runs = both(raw, 0, aborted=aborted, level=level)
    kept = sum(2 for abort in aborts if not abort or level == fetcher.READ_UNCOMMITTED)

    assert (kept, records, at) == (len(records), flat(runs), runs[-1].next_offset)


def test_a_broken_checksum_is_an_error() -> None:
    """A batch whose bytes changed on the way is refused, and the position stays before it."""
    raw = bytearray(batch(0, [0, 1]) + batch(2, [2, 3]))
    raw[-1] ^= 0xFF
    ours = RecordBatches(TP, MemoryRecords(bytes(raw)), None, 0, None, None, True, 0)
    next(ours)
    with pytest.raises(CorruptRecordException):
        next(ours)

    assert 2 == ours.next_fetch_offset


def test_the_newest_record_time_is_kept() -> None:
    """A run knows its largest timestamp, in both formats."""
    runs = [*both(batch(0, [0, 1, 2]), 0)[1], *both(legacy(3, 1, magic=1), 3)[1], *both(legacy(3, 1, magic=0), 3)[1]]

    assert [1_002, 1_003, -1] == [run.timestamp for run in runs]


SOURCES: dict[str, Callable[..., object] | type] = {
    "AIOKafkaClient._get_conn": AIOKafkaClient._get_conn,
    "Fetcher._proc_fetch_request": fetcher.Fetcher._proc_fetch_request,
    "Fetcher.fetched_records": fetcher.Fetcher.fetched_records,
    "FetchResult": fetcher.FetchResult,
    "PartitionRecords": fetcher.PartitionRecords,
    "GroupCoordinator.check_errors": GroupCoordinator.check_errors,
    "GroupCoordinator._push_error_to_user": GroupCoordinator._push_error_to_user,
    "GroupCoordinator.request_rejoin": GroupCoordinator.request_rejoin,
    "faust Consumer._drain_messages": faust.transport.consumer.Consumer._drain_messages,
    "faust Consumer._wait_next_records": faust.transport.consumer.Consumer._wait_next_records,
    "faust Consumer.on_partitions_revoked": faust.transport.consumer.Consumer.on_partitions_revoked,
    "faust Consumer.commit": faust.transport.consumer.Consumer.commit,
    "faust AIOKafkaConsumerThread": driver.AIOKafkaConsumerThread,
    "faust Recovery._resume_streams": faust.tables.recovery.Recovery._resume_streams,
}

READ = {
    "AIOKafkaClient._get_conn": "68ce5d8391719d33",
    "Fetcher._proc_fetch_request": "59bf948fff47eed5",
    "Fetcher.fetched_records": "be4348896b9b66af",
    "FetchResult": "d7db13f06de8248c",
    "PartitionRecords": "94aa0da0dbec8d1b",
    "GroupCoordinator.check_errors": "ba6ca51ad34838d9",
    "GroupCoordinator._push_error_to_user": "743ff515bd7e2e38",
    "GroupCoordinator.request_rejoin": "f70a261c91c38cb5",
    "faust Consumer._drain_messages": "44a2500309e83c63",
    "faust Consumer._wait_next_records": "6218e1969a636b3f",
    "faust Consumer.on_partitions_revoked": "d04b7ae72c6fc206",
    "faust Consumer.commit": "a354437baaa08bf8",
    "faust AIOKafkaConsumerThread": "8ca70be32815c1d0",
    "faust Recovery._resume_streams": "d986a6710c1aca98",
}


@pytest.mark.parametrize("name", SOURCES)
def test_the_inside_of_the_libraries_is_what_we_read(name: str) -> None:
    """We lean on private parts of aiokafka and Faust: when one changes, read it again, then note its digest here."""
    digest = hashlib.sha256(inspect.getsource(SOURCES[name]).encode()).hexdigest()[:16]

    assert READ[name] == digest


def test_the_past_of_a_record_that_was_put_back_is_read_from_its_headers() -> None:
    """Only complete headers of ours say so; others' headers, and ours written by somebody else, are passed over."""
    past = [("redriven", b"2"), ("redriven-last", b"t/0/9"), ("redriven-first", b"t/0/1")]
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, 0, 0, 1 << 20)
    for number, headers in enumerate([[], past, past[:2], [("trace", None)], [("redriven", b"x"), *past[1:]]]):
        builder.append(number, 1_000, b"k", b"v", headers)
    (run,) = list(reader(RecordBatches, bytes(builder.build()), 0))  # type: ignore[call-overload]

    assert {1: Redriven(2, "t/0/9", "t/0/1")} == run.redriven
