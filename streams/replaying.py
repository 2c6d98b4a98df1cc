"""Run recorded files into Kafka."""

from collections import Counter
from collections.abc import Iterable, Iterator

from streams.feeding import Timed, feed
from streams.files.recorded import Recorded, Recording, key_of
from streams.producing import open_producing
from streams.progress import progress
from streams.settings import KafkaSettings


async def to_kafka(
    records: Iterable[Recorded], recording: Recording, kafka: KafkaSettings, *, speed: float | None
) -> Counter[str]:
    """Send recorded payloads as they are; give how many records each topic got.

    Rows that are broken go to the topic too, where they are dead-lettered: a
    replay hides nothing that a producer could have sent.

    Raises:
        InputFileError: a file cannot be read to its end.
        SettingsError: a topic does not exist.
        ServiceUnavailable: Kafka cannot be reached, or did not take all records.
    """
    async with open_producing(kafka) as out:
        with progress("replay", recording.size) as show:
            return await feed(
                _timed(records), out, speed=speed, seconds=None, show=lambda at: show(recording.bytes_read())
            )


def _timed(records: Iterable[Recorded]) -> Iterator[Timed]:
    key = key_of()
    for record in records:
        yield Timed(record.arrival, record.topic, key(record.topic, record.value), record.value)
