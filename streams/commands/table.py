"""`subsidywatch table`: the region monitoring table in a terminal, as JSON or as CSV."""

from pathlib import Path
from typing import Annotated

import typer


def table(
    by: Annotated[str, typer.Option(help="Rows: region, campaign or region,campaign.")] = "region",
    window: Annotated[str, typer.Option(help="1m, 5m, 15m, 1h, 24h, today, yesterday or all.")] = "today",
    watch: Annotated[bool, typer.Option("--watch", help="Redraw as figures change, until Ctrl-C.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON as the read API gives it, with every ROI.")
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV as `backtest` writes it.")] = False,
    roi: Annotated[
        str | None,
        typer.Option(
            help="What the ROI columns show: labels of order|click, 15d|0d, placed|paid|net, direct|total; "
            "as in click,paid. Default: order,15d,placed, direct and total."
        ),
    ] = None,
    lang: Annotated[str | None, typer.Option(help="en or zh; default: as the locale says.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML).")] = None,
) -> None:
    """Show spend, share, clicks, CPC, orders, ROI, CPA and GMV per region or campaign, with the total first."""
    from models.errors import SettingsError
    from streams.readmodel import parse_scope, parse_window
    from streams.terminal.reading import parse_lang
    from streams.terminal.rois import parse_rois
    from streams.terminal.tables import print_csv, print_table, print_table_json, watch_table

    scope, name, tongue = parse_scope(by), parse_window(window), parse_lang(lang)
    rois = parse_rois(roi)
    if roi is not None and (as_json or as_csv):
        raise SettingsError("--roi chooses columns of the screen; --json gives every ROI, --csv those of reports")
    if as_json + as_csv + watch > 1:
        raise SettingsError("take one of --watch, --json and --csv")
    if as_csv:
        print_csv(config, scope, name)
    elif as_json:
        print_table_json(config, scope, name)
    elif watch:
        watch_table(config, scope, name, tongue, rois)
    else:
        print_table(config, scope, name, tongue, rois)
