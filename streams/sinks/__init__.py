"""Where records go out; `SINKS` names every way there is."""

from collections.abc import Callable
from typing import Final

from streams.ports import Sink
from streams.settings import KafkaSettings
from streams.sinks.kafka_sink import KafkaSink
from streams.sinks.list_sink import ListSink


def _list_sink(settings: KafkaSettings) -> Sink:
    return ListSink()


SINKS: Final[dict[str, Callable[[KafkaSettings], Sink]]] = {"kafka": KafkaSink, "list": _list_sink}
