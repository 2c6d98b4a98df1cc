"""The same two lines over recorded files: no Kafka, no Redis, and time is the arrival clock of the records.

```
records --tick of arrival time--> slices per topic -> ingest -> decide -> files
```

Each topic is one partition. Totals do not depend on that, nor on the size of a
slice; decisions see event time only.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from models.decisions import SHIFTS_TOPIC, TRANSITIONS_TOPIC
from models.units import EpochMs
from streams.files.findings import Findings
from streams.files.outcome import write_summary, write_tables
from streams.files.recorded import Recorded, Recording
from streams.pipeline import Pipeline
from streams.ports import RecordSlice, TopicPartition
from streams.progress import progress
from streams.settings import Settings
from streams.store.memory_store import MemoryStore

SLICE_RECORDS: Final = 2_000
"""Most records of one slice."""

SHOW_EVERY: Final = 5_000
_FINAL_RUNS: Final = 1_000


class Backtest:
    """One run over one stream of records.

    Attributes:
        store: holds the totals afterwards.
        read: records read per topic.
    """

    def __init__(self, settings: Settings, findings: Findings, tick_s: float) -> None:
        """Start with an empty store.

        Args:
            settings: as of a worker.
            findings: takes decisions and refused records.
            tick_s: arrival time between two runs of the decide line; decisions are the same, found that much later.
        """
        self.store = MemoryStore(settings.zone)
        self.read: Counter[str] = Counter()
        self._findings = findings
        self._clock = EpochMs(0)
        self._tick_ms = int(tick_s * 1000)
        self._idle_ms = int(settings.ingest.idle_s * 1000)
        self._pipeline = Pipeline(self.store, findings, settings, lambda: self._clock)
        self._waiting: dict[str, list[Recorded]] = {}

    async def run(self, records: Iterable[Recorded], show: Callable[[], None]) -> None:
        """Read all records, then let the partitions fall idle, so that the last seconds are decided too.

        Raises:
            InputFileError: a file cannot be read to its end.
        """
        next_tick = 0
        waiting = self._waiting
        for count, record in enumerate(records, 1):
            if record.arrival >= next_tick:
                await self._tick()
                next_tick = record.arrival + self._tick_ms
            self._clock = self._findings.now = record.arrival
            batch = waiting.get(record.topic)
            if batch is None:
                batch = waiting[record.topic] = await self._claim(record.topic)
            batch.append(record)
            if len(batch) == SLICE_RECORDS:
                await self._ingest(record.topic, batch)
            if count % SHOW_EVERY == 0:
                show()
        await self._tick()
        self._clock = self._findings.now = EpochMs(self._clock + self._idle_ms + 1)
        for _ in range(_FINAL_RUNS):
            if not await self._decide():
                return

    async def _claim(self, topic: str) -> list[Recorded]:
        await self._pipeline.claim(TopicPartition(topic, 0))
        return []

    async def _tick(self) -> None:
        for topic, batch in self._waiting.items():
            if batch:
                await self._ingest(topic, batch)
        await self._decide()

    async def _decide(self) -> bool:
        """Decide once; tell whether anything came of it."""
        before = self._findings.published
        made = await self._pipeline.decide(self._clock)
        return made > 0 or self._findings.published > before

    async def _ingest(self, topic: str, batch: list[Recorded]) -> None:
        first = self.read[topic]
        self.read[topic] += len(batch)
        self._findings.origins = {first + i: record for i, record in enumerate(batch)}
        part = RecordSlice(
            tp=TopicPartition(topic, 0),
            first=first,
            next_offset=first + len(batch),
            timestamp=self._clock,
            generation=0,
            values=[record.value for record in batch],
            offsets=None,
        )
        await self._pipeline.ingest(part)
        batch.clear()


async def run_backtest(
    records: Iterable[Recorded], recording: Recording, settings: Settings, folder: Path, tick_s: float
) -> dict[str, object]:
    """Run, write every file of the result, and give the summary.

    Args:
        records: what `recording` gives, perhaps disturbed.
        recording: the open files, for the progress bar.
        settings: as of a worker.
        folder: where the results go; files of an earlier run are replaced.
        tick_s: arrival time between two runs of the decide line.

    Raises:
        InputFileError: a file cannot be read, or the folder cannot be written.
    """
    wall, cpu = time.monotonic(), time.process_time()
    with Findings(folder) as findings:
        made = Backtest(settings, findings, tick_s)
        with progress("backtest", recording.size) as show:
            await made.run(records, lambda: show(recording.bytes_read()))
    await write_tables(folder, made.store, settings)
    tallies = await made.store.tallies()
    summary: dict[str, object] = {
        "records": sum(made.read.values()),
        "records_by_topic": dict(sorted(made.read.items())),
        "accepted": _sum(tallies, "accepted"),
        "rejected": sum(findings.rejected.values()),
        "rejected_by_reason": dict(sorted(findings.rejected.items())),
        "duplicates": _sum(tallies, "duplicates"),
        "late": _sum(tallies, "late"),
        "transitions": findings.written[TRANSITIONS_TOPIC],
        "shifts": findings.written[SHIFTS_TOPIC],
        "wall_seconds": round(time.monotonic() - wall, 3),
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "config_hash": settings.rules.config_hash,
    }
    write_summary(folder, summary)
    return summary


def _sum(tallies: Mapping[str, int], what: str) -> int:
    return sum(count for name, count in tallies.items() if name.split(":")[0] == what)
