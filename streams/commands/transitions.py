"""`subsidywatch transitions`: list changes of a subsidy status, newest first, with the evidence as counts."""

from pathlib import Path
from typing import Annotated

import typer


def transitions(
    limit: Annotated[int, typer.Option(min=1, max=2_000, help="Most entries.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON as the read API gives it.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh; default: as the locale says.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
) -> None:
    """List changes of a subsidy status, newest first, with the evidence as counts."""
    from streams.terminal.decisions import print_transitions
    from streams.terminal.reading import parse_lang

    print_transitions(config, limit, as_json, parse_lang(lang))
