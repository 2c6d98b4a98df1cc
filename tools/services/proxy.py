"""A TCP proxy on loopback that can be slow, cut, silent or picky: the network between a worker and its services."""

import asyncio
import random
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final, Literal

Mode = Literal["pass", "refuse", "hole", "no_produce"]
"""pass: forward. refuse: cut what is open and close what comes. hole: take bytes and forward none.
no_produce: cut a connection of Kafka's protocol once it asks to produce."""

CHUNK: Final = 65_536
PRODUCING: Final = (0, 22)
"""Kafka's request keys Produce and InitProducerId."""


class Proxy:
    """Forwards a port of its own to another one, in a thread of its own, until it is closed.

    Attributes:
        port: where clients connect.
        target: port that is forwarded to; may be changed, for new connections.
        mode: what becomes of bytes and connections; may be changed at any time, see `set`.
        delay_s: each piece of bytes waits this long.
        cut_share: chance that a piece of bytes ends its connection instead of being forwarded.
        cuts: connections ended by chance or because they asked to produce.
    """

    def __init__(self, target: int = 0, seed: int = 1) -> None:
        """Listen at once.

        Args:
            target: port on loopback to forward to; may be set later.
            seed: of the chance that cuts.
        """
        self.target = target
        self.mode: Mode = "pass"
        self.delay_s = 0.0
        self.cut_share = 0.0
        self.cuts = 0
        self._chance = random.Random(seed)
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def set(self, mode: Mode) -> None:
        """Change the mode; only into `hole` what is open stays open, else it is cut."""
        self.mode = mode
        if mode != "hole":
            self._call(self._cut_all())

    def close(self) -> None:
        """End every connection and the thread."""
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _end(self) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await self._cut_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _cut_all(self) -> None:
        for writer in list(self._open):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  a server's callback runs in a task
        self._tasks.add(task)
        try:
            if self.mode == "refuse":
                writer.transport.abort()
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self._open |= {writer, back}
            sending = self._requests if self.mode == "no_produce" else self._forward
            both = {asyncio.create_task(sending(reader, back)), asyncio.create_task(self._forward(there, writer))}
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                back.transport.abort()
                self._open.discard(back)
                await asyncio.gather(*both, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            self._open.discard(writer)
            self._tasks.discard(task)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward whole requests of Kafka's protocol, until one asks to produce while that is refused."""
        with suppress(asyncio.IncompleteReadError):
            while True:
                size = await reader.readexactly(4)
                frame = await reader.readexactly(int.from_bytes(size))
                if self.mode == "no_produce" and int.from_bytes(frame[:2]) in PRODUCING:
                    self.cuts += 1
                    return
                if not await self._pass_on(size + frame, writer):
                    return

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(CHUNK):
            if not await self._pass_on(piece, writer):
                return

    async def _pass_on(self, piece: bytes, writer: asyncio.StreamWriter) -> bool:
        """Forward a piece after the delay; False when the connection is to end."""
        if self.delay_s:
            await asyncio.sleep(self.delay_s)
        if self.cut_share and self._chance.random() < self.cut_share:
            self.cuts += 1
            return False
        if self.mode == "hole":
            return True
        with suppress(OSError):
            writer.write(piece)
            await writer.drain()
            return True
        return False
