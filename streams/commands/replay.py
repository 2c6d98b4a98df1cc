"""`subsidywatch replay`: recorded files to Kafka, in order of arrival."""

from pathlib import Path
from typing import Annotated

import typer


def replay(
    files: Annotated[list[Path], typer.Argument(help="Recorded files, or folders written by simulate.")],
    mapping: Annotated[
        Path | None, typer.Option(help="Mapping file, or the name of a ready one; none for payload files.")
    ] = None,
    speed: Annotated[str, typer.Option(help="max, or a factor such as 1x or 60x.")] = "max",
    shuffle: Annotated[float, typer.Option(help="Share of records to hold back, such as 0.05.")] = 0.0,
    duplicate: Annotated[float, typer.Option(help="Share of records to send twice, such as 0.02.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Names the disturbance.")] = 1,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
) -> None:
    """Send recorded files to Kafka."""
    import asyncio

    from streams.bootstrap import wall_clock
    from streams.files.disturbing import disturb
    from streams.files.recorded import Recording
    from streams.pacing import parse_speed
    from streams.replaying import to_kafka
    from streams.settings import load

    settings, factor = load(config), parse_speed(speed)
    with Recording(files, mapping, wall_clock()) as recording:
        records = disturb(recording, shuffle=shuffle, duplicate=duplicate, seed=seed)
        sent = asyncio.run(to_kafka(records, recording, settings.kafka, speed=factor))
    for topic, count in sorted(sent.items()):
        typer.echo(f"{topic:28} {count:>12,}")
