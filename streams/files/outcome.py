"""The tables and the summary that a backtest leaves."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.windows import Scope
from streams.files.csv_tables import write_totals
from streams.ports import ReadStore
from streams.readmodel import table
from streams.settings import Settings

_TABLES: Final = {Scope.REGION: "totals_by_region.csv", Scope.CAMPAIGN: "totals_by_campaign.csv"}


async def write_tables(folder: Path, store: ReadStore, settings: Settings) -> None:
    """Write the totals of the whole run per region and per campaign."""
    for by, name in _TABLES.items():
        rows = (await table(store, settings.zone, by, "all")).rows
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            write_totals(stream, rows, by)


def write_summary(folder: Path, summary: Mapping[str, object]) -> None:
    """Write `summary.json`."""
    text = json.dumps(summary, ensure_ascii=False, indent=1)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
