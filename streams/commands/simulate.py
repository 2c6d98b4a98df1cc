"""`subsidywatch simulate`: events of a seeded scenario, to files or to Kafka."""

from pathlib import Path
from typing import Annotated

import typer


def simulate(
    scenario: Annotated[str, typer.Option(help="wave-31 or seed-table.")] = "wave-31",
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same events.")] = 1,
    days: Annotated[float, typer.Option(min=0.001, max=60, help="Length of wave-31 in days.")] = 1.0,
    rate: Annotated[
        float, typer.Option(min=0.1, max=100_000, help="Size of wave-31, 64 is full; 3/4 as many events a second.")
    ] = 20.0,
    out: Annotated[Path | None, typer.Option(help="Folder for one NDJSON file a topic, and truth.json.")] = None,
    to: Annotated[str | None, typer.Option(help="kafka: send instead of writing files.")] = None,
    speed: Annotated[str, typer.Option(help="With --to kafka: max, or a factor such as 1x or 60x.")] = "1x",
    seconds: Annotated[float | None, typer.Option(min=0.1, help="End after this much wall time.")] = None,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress the files.")] = False,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
) -> None:
    """Make the events of a seeded scenario whose truth is known."""
    from models.errors import SettingsError
    from models.scenario.catalogue import NAMES, open_scenario
    from streams.pacing import parse_speed
    from streams.simulating import to_files, to_kafka

    if scenario not in NAMES:
        raise SettingsError(f"there is no scenario {scenario!r}; take one of {', '.join(NAMES)}")
    if (out is None) == (to is None) or to not in (None, "kafka"):
        raise SettingsError("give either --out DIR or --to kafka")
    opened = open_scenario(scenario, seed, days, rate)
    if out is not None:
        sent = to_files(opened, out, zipped=gzip, seconds=seconds)
    else:
        import asyncio

        from streams.settings import load

        sent = asyncio.run(to_kafka(opened, load(config).kafka, speed=parse_speed(speed), seconds=seconds))
    for topic, count in sorted(sent.items()):
        typer.echo(f"{topic:28} {count:>12,}")
