"""What a worker that hangs leaves behind."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Generator

from models.errors import Stalled
from streams.health import Health
from streams.lifeline import Lifeline
from streams.watchdog import Watchdog, task_stacks, thread_stacks


class Wrapped(Awaitable[None]):
    """Something that is awaited and is no coroutine."""

    def __init__(self, inner: Awaitable[None]) -> None:
        self.inner = inner

    def __await__(self) -> Generator[object, None, None]:
        """Wait for what is inside."""
        return self.inner.__await__()


async def numbers(gate: asyncio.Event) -> AsyncIterator[int]:
    """A generator that waits at a gate."""
    await gate.wait()
    yield 1


async def innermost(gate: asyncio.Event) -> None:
    """Wait inside a generator."""
    async for _ in numbers(gate):
        pass


async def outermost(gate: asyncio.Event) -> None:
    """Wait through a wrapper."""
    await Wrapped(innermost(gate))


async def test_a_task_is_followed_to_where_it_waits() -> None:
    """Through coroutines, wrappers and generators, outermost call first."""
    gate = asyncio.Event()
    task = asyncio.create_task(outermost(gate), name="followed")
    await asyncio.sleep(0)
    calls = [line.rpartition(" ")[2] for line in task_stacks([asyncio.get_running_loop()])["followed"]]
    gate.set()
    await task

    assert ["outermost", "innermost", "numbers", "Event.wait"] == calls


def test_every_thread_is_shown() -> None:
    """The one that asks is among them, with the function that asks."""
    [mine] = [stack for name, stack in thread_stacks().items() if name.startswith(threading.current_thread().name)]

    assert any(line.endswith("test_every_thread_is_shown") for line in mine)


def test_a_stall_ends_the_process_once() -> None:
    """The first look that finds a stall hands it to the lifeline."""

    class Ending(Lifeline):
        def fail(self, error: BaseException) -> None:
            failed.append(error)
            told.set()

    class Hanging(Health):
        def stalled(self) -> str | None:
            return "nothing was settled"

    failed: list[BaseException] = []
    told = threading.Event()
    watchdog = Watchdog(Hanging(lambda: 0.0), Ending(1))
    watchdog.start()
    told.wait(10)
    watchdog.stop()

    assert [(Stalled, "nothing was settled")] == [(type(error), str(error)) for error in failed]
