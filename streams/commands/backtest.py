"""`subsidywatch backtest`: what the worker would have counted and decided over recorded files."""

from pathlib import Path
from typing import Annotated

import typer


def backtest(
    files: Annotated[list[Path], typer.Argument(help="Recorded files, or folders written by simulate.")],
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping file, or the name of a ready one; none for payload files.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results.")] = Path("out"),
    shuffle: Annotated[float, typer.Option(help="Share of records to hold back, such as 0.05.")] = 0.0,
    duplicate: Annotated[float, typer.Option(help="Share of records to give twice, such as 0.02.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Names the disturbance.")] = 1,
    tick: Annotated[
        float | None, typer.Option(min=0.05, help="Seconds of arrival time between decisions; default: as a worker.")
    ] = None,
) -> None:
    """Run the same core over recorded files, without Kafka and Redis."""
    import asyncio

    from streams.backtesting import run_backtest
    from streams.bootstrap import wall_clock
    from streams.files.disturbing import disturb
    from streams.files.recorded import Recording
    from streams.settings import load

    settings = load(config)
    with Recording(files, mapping, wall_clock()) as recording:
        records = disturb(recording, shuffle=shuffle, duplicate=duplicate, seed=seed)
        tick_s = settings.worker.decide_interval_s if tick is None else tick
        summary = asyncio.run(run_backtest(records, recording, settings, out, tick_s))
    for name in ("records", "accepted", "rejected", "duplicates", "late", "transitions", "shifts", "wall_seconds"):
        typer.echo(f"{name:14} {summary[name]}")
    typer.echo(f"results in {out}")
