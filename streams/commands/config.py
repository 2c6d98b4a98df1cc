"""`subsidywatch config show|check`: what the settings are, and where each comes from."""

from pathlib import Path
from typing import Annotated

import typer

config_app = typer.Typer(no_args_is_help=True, help="Show the settings with their sources, or check them.")

Config = Annotated[Path | None, typer.Option(help="TOML file with settings.", show_default=False)]


@config_app.command("show")
def config_show(
    config: Config = None, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Print every setting with its value and source; secrets stay hidden."""
    import json

    from streams.settings_view import rows

    listed = rows(config)
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in listed], ensure_ascii=False, indent=2))
        return
    width = max(len(row.name) for row in listed)
    for row in listed:
        typer.echo(f"{row.name:{width}}  {row.value}  ({row.source})")


@config_app.command("check")
def config_check(config: Config = None) -> None:
    """Exit 0 when the settings can be used; otherwise one sentence and exit 2."""
    from streams.settings import load

    typer.echo(f"the settings are good; the rules have hash {load(config).rules.config_hash}")
