"""`subsidywatch topics create|check`: the topics as one table says they should be."""

from pathlib import Path
from typing import Annotated

import typer

topics_app = typer.Typer(no_args_is_help=True, help="Create the topics, or compare them with what they should be.")

Config = Annotated[Path | None, typer.Option(help="TOML file with settings.", show_default=False)]


@topics_app.command("create")
def topics_create(config: Config = None) -> None:
    """Create the topics that are absent; run it as often as you like."""
    from streams.kafka_admin import create, open_admin
    from streams.settings import load
    from streams.topics import TOPICS

    kafka = load(config).kafka
    with open_admin(kafka) as client:
        made = create(client, kafka)
    for name in made:
        typer.echo(f"created {name}")
    typer.echo(f"{len(made)} created, {len(TOPICS) - len(made)} were there")


@topics_app.command("check")
def topics_check(
    config: Config = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Compare partitions, clean-up and retention; exit 1 when something differs."""
    import json

    from streams.kafka_admin import find, open_admin, problems
    from streams.settings import load
    from streams.topics import TOPICS

    kafka = load(config).kafka
    with open_admin(kafka) as client:
        found = problems(find(client), kafka)
    if as_json:
        typer.echo(json.dumps({"topics": len(TOPICS), "problems": found}, indent=2))
    else:
        for sentence in found or [f"all {len(TOPICS)} topics are as they should be"]:
            typer.echo(sentence)
    if found:
        raise typer.Exit(1)
