"""A sink that keeps everything in memory: for backtest, tests and looking at what would be sent."""

from collections.abc import Sequence

from streams.ports import DeadLetter, OutboxEntry


class ListSink:
    """Implements `streams.ports.Sink` with two lists, in the order of the calls.

    Attributes:
        published: every entry ever published, repeats included.
        buried: every dead letter, repeats included.
    """

    def __init__(self) -> None:
        """Start empty."""
        self.published: list[OutboxEntry] = []
        self.buried: list[DeadLetter] = []

    async def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to close; what was kept stays readable."""

    async def publish(self, entries: Sequence[OutboxEntry]) -> None:
        """Keep the entries."""
        self.published.extend(entries)

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Keep the letters."""
        self.buried.extend(letters)
