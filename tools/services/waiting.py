"""Waiting for a condition with a deadline, so that nothing sleeps for a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(AssertionError):
    """The condition did not come true in time."""


def wait_for(condition: Callable[[], T | None], timeout: float = 20.0, what: str = "", every: float = 0.05) -> T:
    """Call `condition` until it gives something true, and return that.

    Args:
        condition: polled; exceptions go through.
        timeout: seconds after which `DeadlineError` is raised.
        what: what was waited for, in words, for the error.
        every: seconds between two calls.

    Raises:
        DeadlineError: the condition was still false at the deadline.
    """
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise DeadlineError(f"waited {timeout:g} s in vain for {what or condition}, last value {value!r}")
        time.sleep(every)


async def wait_for_async(
    condition: Callable[[], Awaitable[T | None]],
    timeout: float = 20.0,  # noqa: ASYNC109 - a poll with a message, not a cancellation
    what: str = "",
    every: float = 0.05,
) -> T:
    """Same as `wait_for`, for a condition that is awaited."""
    deadline = time.monotonic() + timeout
    while True:
        value = await condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise DeadlineError(f"waited {timeout:g} s in vain for {what or condition}, last value {value!r}")
        await asyncio.sleep(every)
