"""The Faust transport `batchkafka://`, and the app that carries what it needs.

One message per slice of a partition; positions come from the store, commits go
to Kafka as a hint; a dead group membership ends the process. See `acks` for
what may be committed, `starts` for where reading begins, `record_batches` for
how records are read.
"""

import asyncio
from typing import Any, ClassVar, Final

import faust
from faust.app.base import BootStrategy
from faust.transport.drivers import TRANSPORTS
from faust.transport.drivers import aiokafka as driver

from streams.transport.batch_consumer import BatchConsumer
from streams.transport.wiring import Wiring

SCHEME: Final = "batchkafka"


class BatchTransport(driver.Transport):
    """Faust's aiokafka transport with our consumer."""

    Consumer: ClassVar[type[BatchConsumer]] = BatchConsumer


class _NoProducer(BootStrategy):
    """The sink publishes; Faust's own producer would only be one more thing that can fail."""

    enable_kafka_producer = False


class BatchApp(faust.App):
    """A Faust app whose agents receive slices.

    Attributes:
        wiring: what the transport asks of its surroundings.
        loops: event loops of the client's own threads.
        in_hand: names of the agents that are settling a slice right now.
        idle: set while there are none.
    """

    BootStrategy = _NoProducer

    def __init__(self, group: str, wiring: Wiring, **options: Any) -> None:
        """Set up the app; `options` are Faust's own settings."""
        self.wiring = wiring
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.in_hand: set[str] = set()
        self.idle = asyncio.Event()
        self.idle.set()
        # Faust finds transports by alias; said here, where an app needs it, and not when this module is imported.
        TRANSPORTS.aliases[SCHEME] = f"{__name__}:BatchTransport"
        super().__init__(group, **options)

    def take(self, agent: str) -> None:
        """An agent takes a slice in hand."""
        self.in_hand.add(agent)
        self.idle.clear()

    def put_down(self, agent: str) -> None:
        """It is settled or void."""
        self.in_hand.discard(agent)
        if not self.in_hand:
            self.idle.set()

    def _create_directories(self) -> None:
        """Faust would make a data directory for tables; the store keeps all state, so there are none."""
