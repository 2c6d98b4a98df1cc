"""`subsidywatch dlq list|show|redrive|limit`: records that were refused, with the reason and the original bytes."""

from pathlib import Path
from typing import Annotated

import typer

dlq_app = typer.Typer(no_args_is_help=True, help="Look at refused records, put them back, bound them.")

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

    from streams.dead_reading import read_newest
    from streams.settings import load
    from streams.terminal.letters import letter_line
    from streams.terminal.redrives import input_topics

    letters = read_newest(load(config).kafka, input_topics(topic), limit)
    summaries = [letter.summary() for letter in letters]
    if as_json:
        typer.echo(json.dumps(summaries, ensure_ascii=False, indent=2))
    elif as_csv:
        columns = ["place", "reason", "detail", "original", "bytes", "rounds"]
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


@dlq_app.command("redrive")
def dlq_redrive(
    places: Annotated[
        list[str] | None, typer.Argument(help="These alone, as `dlq list` prints them.", show_default=False)
    ] = None,
    topic: Annotated[str | None, typer.Option(help="Only refused records of this topic.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only what was refused for this reason.")] = None,
    start: Annotated[int, typer.Option("--from", min=0, help="First offset on the dead-letter topic.")] = 0,
    stop: Annotated[int | None, typer.Option("--to", min=0, help="Offset to stop before.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many, oldest first.")] = 10_000,
    rounds: Annotated[int, typer.Option(min=1, max=1_000, help="Refuse what was put back this often.")] = 3,
    force: Annotated[bool, typer.Option("--force", help="Put back whatever the rounds.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, say what would be done.")] = False,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Put refused records back on their topics, key and bytes as they were, each once. Exit 1: some were not sent."""
    import json

    from streams.settings import load
    from streams.terminal.redrives import Filters, input_topics, parse_places, run_redrive, told, words

    filters = Filters(
        places=parse_places(places or ()),
        topics=input_topics(topic),
        reason=reason,
        start=start,
        stop=stop,
        most=limit,
        rounds=None if force else rounds,
    )
    run = run_redrive(load(config), filters, dry=not yes)
    if as_json:
        typer.echo(json.dumps(told(run, dry=not yes), ensure_ascii=False, indent=2))
    else:
        for line in words(run, dry=not yes):
            typer.echo(line)
    raise typer.Exit(1 if run.refused else 0)


@dlq_app.command("limit")
def dlq_limit(
    limit: Annotated[
        int | None,
        typer.Argument(
            min=0, max=1_000_000_000, help="New live limit; 0: none. Left out: show it.", show_default=False
        ),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Go back to the limit of the settings.")] = False,
    actor: Annotated[str | None, typer.Option(help="Who sets it; default: the user's name.")] = None,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show or set how many refused records stop the workers; it holds at once, for all of them."""
    import getpass
    import json

    from models.errors import SettingsError
    from streams.settings import load
    from streams.terminal.redrives import run_limit

    if clear and limit is not None:
        raise SettingsError("give a limit or --clear, not both")
    settings = load(config)
    setter = (actor or getpass.getuser()) if clear or limit is not None else None
    live, count = run_limit(settings, limit, setter)
    value = settings.ingest.dead_letter_limit if live is None else live.value
    if as_json:
        who = None if live is None else live.actor
        typer.echo(json.dumps({"limit": value, "live": live is not None, "actor": who, "refused": count}))
        return
    source = "from the settings" if live is None else f"set live by {live.actor}"
    typer.echo(f"{count} records refused so far; limit {value or 'none'} ({source})")
