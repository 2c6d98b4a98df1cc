"""Kafka record batches read whole: lists of values and keys, no Python object kept per record.

The stock reader of aiokafka builds a `ConsumerRecord` for every record, which
is most of what a fetched record costs. This one reads a batch into three lists.
What the stock reader promises is kept: the checksum is verified, control
batches carry no values, records of aborted transactions are left out under
read_committed, old message formats work.

Nothing of aiokafka is replaced: one consumer's fetcher is told to read its
responses with `RecordBatches`. That leans on private names of aiokafka, which
is therefore pinned to one version; `tests/contract/test_record_batches.py`
holds those names to what is used here.
"""
# ruff: noqa: SLF001  the private names are the point of this module, and a contract test guards them

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType, MethodType
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import READ_COMMITTED, Fetcher, FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException

from streams.ports import Redriven

_PAST: Final = ("redriven", "redriven-last", "redriven-first")
"""Headers of a record that `dlq redrive` has put back."""


class RecordRun(NamedTuple):
    """What one Kafka record batch holds, with the stretch of the log it stands for.

    Runs of a partition tile the log: each starts where the one before ended, so
    compacted records, control batches and aborted records are inside a run and
    never between two.

    Attributes:
        start: first offset of the stretch, whether or not a record is still there.
        next_offset: first offset after it.
        timestamp: largest record time in ms; -1 when the batch has none.
        offsets: offset of each value; None when the stretch has a value at every offset.
        redriven: the past of those records that were put back on the topic, by offset; may name others as well.
    """

    start: int
    next_offset: int
    timestamp: int
    values: list[bytes | None]
    keys: list[bytes | None]
    offsets: list[int] | None
    redriven: Mapping[int, Redriven] = MappingProxyType({})


class RecordBatches(PartitionRecords):  # type: ignore[misc]  # aiokafka is not typed
    """Iterates over runs instead of records; for everything else it is the stock reader."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[RecordRun]:
        records = self._records
        while records.has_next():
            batch = records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp} at or after {self.next_fetch_offset}")
            start, stop = self.next_fetch_offset, batch.next_offset
            if stop <= start:
                continue
            run = RecordRun(start, stop, -1, [], [], []) if self._skipped(batch) else _read(batch, start, stop)
            self.next_fetch_offset = stop
            yield run

    def _skipped(self, batch: Any) -> bool:
        """Tell whether the batch carries no data for us; follows the stock reader's order of checks."""
        if self._isolation_level == READ_COMMITTED and batch.producer_id is not None:
            self._consume_aborted_up_to(batch.base_offset)
            if batch.is_control_batch and self._contains_abort_marker(batch):
                self._aborted_producers.discard(batch.producer_id)
            if batch.is_transactional and batch.producer_id in self._aborted_producers:
                return True
        return bool(batch.is_control_batch)


def _read(batch: Any, start: int, stop: int) -> RecordRun:
    """Read a batch once into lists; records before `start` were delivered already."""
    values: list[bytes | None] = []
    keys: list[bytes | None] = []
    offsets: list[int] = []
    redriven: dict[int, Redriven] = {}
    newest = -1
    legacy = batch.producer_id is None
    add_value, add_key, add_offset = values.append, keys.append, offsets.append
    for record in batch:
        offset = record.offset
        if offset >= start:
            add_value(record.value)
            add_key(record.key)
            add_offset(offset)
            if record.headers:
                _note_past(redriven, offset, record.headers)
            if legacy and record.timestamp is not None:
                newest = max(newest, record.timestamp)
    if not legacy:
        newest = batch.max_timestamp
    return RecordRun(start, stop, newest, values, keys, None if len(values) == stop - start else offsets, redriven)


def _note_past(redriven: dict[int, Redriven], offset: int, headers: Iterable[tuple[str, bytes | None]]) -> None:
    """Keep what tells that a record was put back; what somebody else wrote there is no past."""
    found = {name: (value or b"").decode("utf-8", "replace") for name, value in headers if name in _PAST}
    if found.keys() == set(_PAST) and found["redriven"].isdecimal():
        redriven[offset] = Redriven(int(found["redriven"]), found["redriven-last"], found["redriven-first"])


def read_whole_batches(consumer: AIOKafkaConsumer) -> None:
    """Make a started consumer that has no subscription yet read whole batches.

    Raises:
        RuntimeError: the consumer may have fetched already; records would be mixed with runs.
    """
    if consumer._subscription.subscription is not None:
        raise RuntimeError("whole batches must be chosen before the consumer subscribes")
    fetcher = consumer._fetcher
    stock = fetcher._proc_fetch_request

    async def proc_fetch_request(self: Fetcher, assignment: Any, node_id: int, request: Any) -> bool:
        woke: bool = await stock(assignment, node_id, request)
        # Nothing else ran since the results were put there: the stock method has no await after it.
        for result in self._records.values():
            if type(result) is FetchResult:
                _reread(result)
        return woke

    fetcher._proc_fetch_request = MethodType(proc_fetch_request, fetcher)


def _reread(result: FetchResult) -> None:
    """Swap the reader of a fetch result nobody has read from; a reader in use is ours already."""
    stock = result._partition_records
    if type(stock) is not PartitionRecords:
        return
    result._partition_records = RecordBatches(
        stock._tp,
        stock._records,
        stock._aborted_transactions,
        stock.next_fetch_offset,
        None,
        None,
        stock._check_crcs,
        stock._isolation_level,
    )
