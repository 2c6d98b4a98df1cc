"""`subsidywatch explain ID`: why something was decided."""

from pathlib import Path
from typing import Annotated

import typer


def explain(
    wanted: Annotated[str, typer.Argument(metavar="ID", help="Id of a transition, shift, plan or veto.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON as the read API gives it.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh; default: as the locale says.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
) -> None:
    """Say why a change was believed, what it moved, which bounds held, and what adjusters answered."""
    from streams.terminal.decisions import print_explanation
    from streams.terminal.reading import parse_lang

    if not print_explanation(config, wanted, as_json, parse_lang(lang)):
        typer.echo(
            f"subsidywatch: no decision in the log has an id that starts with {wanted!r} (6 digits or more); "
            "`subsidywatch transitions` and `subsidywatch shifts` list them",
            err=True,
        )
        raise typer.Exit(1)
