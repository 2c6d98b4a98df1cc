"""`subsidywatch status`: show which regions have the subsidy, since when, and what the orders say."""

from pathlib import Path
from typing import Annotated

import typer


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON as the read API gives it.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh; default: as the locale says.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
) -> None:
    """Show which regions have the subsidy, since when, and what the orders say."""
    from streams.terminal.decisions import print_status
    from streams.terminal.reading import parse_lang

    print_status(config, as_json, parse_lang(lang))
