"""Run a scenario into files or into Kafka."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from models.scenario.catalogue import Scenario
from models.scenario.emitted import Emitted
from streams.feeding import SHOW_EVERY, Timed, feed
from streams.files.payloads import PayloadFolder
from streams.producing import open_producing
from streams.progress import progress
from streams.settings import KafkaSettings


def to_files(scenario: Scenario, folder: Path, *, zipped: bool, seconds: float | None) -> Counter[str]:
    """Write payloads and `truth.json`; give how many records each topic got.

    Raises:
        InputFileError: the folder cannot be used.
    """
    encode, written = msgspec.json.encode, Counter[str]()
    until = None if seconds is None else time.monotonic() + seconds
    with PayloadFolder(folder, zipped=zipped) as out, progress("simulate", scenario.end - scenario.start) as show:
        out.write_json("truth.json", scenario.truth)
        for number, record in enumerate(scenario.records):
            out.write(record.topic, encode(record.body))
            written[record.topic] += 1
            if number % SHOW_EVERY == 0:
                show(record.arrival - scenario.start)
                if until is not None and time.monotonic() >= until:
                    break
    return written


async def to_kafka(
    scenario: Scenario, kafka: KafkaSettings, *, speed: float | None, seconds: float | None
) -> Counter[str]:
    """Send the payloads; give how many records each topic got.

    Raises:
        SettingsError: a topic does not exist.
        ServiceUnavailable: Kafka cannot be reached, or did not take all records.
    """
    async with open_producing(kafka) as out:
        with progress("simulate", scenario.end - scenario.start) as show:
            return await feed(
                timed(scenario.records),
                out,
                speed=speed,
                seconds=seconds,
                show=lambda at: show(at - scenario.start),
            )


def timed(records: Iterator[Emitted]) -> Iterator[Timed]:
    """Give emitted records as bytes."""
    encode = msgspec.json.encode
    for record in records:
        yield Timed(record.arrival, record.topic, record.key.encode(), encode(record.body))
