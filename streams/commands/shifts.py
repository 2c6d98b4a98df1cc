"""`subsidywatch shifts`: the log of budget shifts, and the switch that stops them all."""

from pathlib import Path
from typing import Annotated

import typer


def shifts(
    action: Annotated[str, typer.Argument(help="list, stop (no shift leaves any more) or resume.")] = "list",
    limit: Annotated[int, typer.Option(min=1, max=2_000, help="Most entries.")] = 50,
    actor: Annotated[str | None, typer.Option(help="Who stops or resumes; default: the user's name.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON as the read API gives it.")] = False,
    lang: Annotated[str | None, typer.Option(help="en or zh; default: as the locale says.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
) -> None:
    """List budget shifts with their answers and vetoes, or stop and resume all of them."""
    import getpass

    from models.errors import SettingsError
    from streams.terminal.decisions import print_shifts, set_switch
    from streams.terminal.reading import parse_lang

    if action == "list":
        print_shifts(config, limit, as_json, parse_lang(lang))
    elif action in ("stop", "resume"):
        typer.echo(set_switch(config, action == "stop", actor or getpass.getuser()))
    else:
        raise SettingsError(f"shifts cannot {action!r}; take list, stop or resume")
