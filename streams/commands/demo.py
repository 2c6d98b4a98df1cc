"""`subsidywatch demo`: all of it at once, with nothing installed but Python packages."""

from typing import Annotated

import typer


def demo(
    scenario: Annotated[str, typer.Option(help="Only wave-31 answers to budgets.")] = "wave-31",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same market.")] = 1,
    speed: Annotated[float, typer.Option(min=0.1, max=3_600, help="Simulated seconds per second.")] = 60.0,
    seconds: Annotated[float | None, typer.Option(min=1, help="End after this much time; else Ctrl-C.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port of the live page, on loopback.")] = 8080,
) -> None:
    """Run broker, Redis, market, worker, page and adjuster; then check every total. Exit 1: not exact."""
    import asyncio

    from models.errors import SettingsError
    from streams.demo.run import run

    if scenario != "wave-31":
        raise SettingsError(f"the demo plays wave-31 only, not {scenario!r}: it needs a market that answers to budgets")
    raise typer.Exit(asyncio.run(run(seed, speed, seconds, port)))
