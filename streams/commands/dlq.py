"""`subsidywatch dlq list|show`: records that were refused, with the reason and the original bytes."""

from pathlib import Path
from typing import Annotated

import typer

dlq_app = typer.Typer(no_args_is_help=True, help="Look at refused records.")

Config = Annotated[Path | None, typer.Option(help="TOML file with settings.", show_default=False)]


@dlq_app.command("list")
def dlq_list(
    topic: Annotated[str | None, typer.Option(help="Only refused records of this topic.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Newest records of each topic.")] = 20,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
) -> None:
    """List the newest refused records, oldest first."""
    import csv
    import json
    import sys

    from models.errors import SettingsError
    from streams.dead_reading import read_newest
    from streams.settings import load
    from streams.terminal.letters import letter_line
    from streams.topics import INPUTS

    names = [spec.name for spec in INPUTS if topic in (None, spec.name)]
    if not names:
        raise SettingsError(f"{topic!r} is no input topic; take one of {', '.join(spec.name for spec in INPUTS)}")
    letters = read_newest(load(config).kafka, names, limit)
    summaries = [letter.summary() for letter in letters]
    if as_json:
        typer.echo(json.dumps(summaries, ensure_ascii=False, indent=2))
    elif as_csv:
        columns = ["place", "reason", "detail", "original", "bytes"]
        writer = csv.DictWriter(sys.stdout, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(summaries)
    else:
        for letter in letters:
            typer.echo(letter_line(letter))
        typer.echo(f"{len(letters)} refused records; `subsidywatch dlq show PLACE` prints one whole")


@dlq_app.command("show")
def dlq_show(
    place: Annotated[str, typer.Argument(help="As `dlq list` prints it: topic/partition/offset.")],
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print one refused record: headers, then the original bytes."""
    import json
    import sys

    from streams.dead_reading import parse_place, read_one
    from streams.settings import load
    from streams.terminal.letters import letter_text, value_text

    letter = read_one(load(config).kafka, parse_place(place))
    if as_json:
        body = {**letter.summary(), "headers": letter.headers, "value": value_text(letter)}
        typer.echo(json.dumps(body, ensure_ascii=False, indent=2))
        return
    typer.echo(letter_text(letter, on_terminal=sys.stdout.isatty()))
