"""`subsidywatch doctor`: is everything there that a worker stands on?"""

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    url: Annotated[
        str | None, typer.Option("--probe", help="Only ask this health page, for containers.", show_default=False)
    ] = None,
) -> None:
    """Check settings, codecs, Kafka, topics and Redis; each finding with what to do. Exit 1: wrong, 3: away."""
    import json

    if url is not None:
        from streams.probing import probe

        content, said = probe(url)
        typer.echo(said)
        raise typer.Exit(0 if content else 1)

    from streams.bootstrap import wall_clock
    from streams.doctoring import examine, exit_code
    from streams.settings import load

    checks = []
    for check in examine(load(config), wall_clock):
        checks.append(check)
        if not as_json:
            typer.echo(f"{check.verdict}  {check.what}: {check.detail}")
    if as_json:
        typer.echo(json.dumps([check._asdict() for check in checks], ensure_ascii=False, indent=2))
    raise typer.Exit(exit_code(checks))
