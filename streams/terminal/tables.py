"""The four ways `table` prints: once, as JSON, as CSV, and redrawn until Ctrl-C."""

import asyncio
import sys
from pathlib import Path
from typing import NamedTuple

from rich.console import Group
from rich.live import Live
from rich.text import Text

from models.cohorts import Matured
from models.errors import ServiceUnavailable
from models.windows import Scope
from streams.bootstrap import open_store
from streams.files.csv_tables import write_totals
from streams.ports import ReadStore
from streams.readcohorts import read_expected, read_maturity
from streams.readmodel import Table, table
from streams.settings import Settings, load
from streams.terminal.reading import output, output_width, print_json, print_lines, read_once, read_screen
from streams.terminal.rois import Chosen
from streams.terminal.screen import Screen, decision_lines, screen_lines
from streams.web.answering import Detail, table_answer
from streams.web.answers import TableAnswer
from streams.wording import Lang


class _Looked(NamedTuple):
    """What is looked at, in the order `read_screen` takes it."""

    by: Scope
    window: str
    lang: Lang
    rois: Chosen


def print_csv(config: Path | None, by: Scope, window: str) -> None:
    """Print the CSV that `backtest` writes for the same events."""
    sys.stdout.reconfigure(newline="", encoding="utf-8")  # type: ignore[union-attr]  # a text file in every run
    write_totals(sys.stdout, _read_table(config, by, window).rows, by)


def print_table_json(config: Path | None, by: Scope, window: str) -> None:
    """Print what the read API answers when it is asked for every ROI."""

    async def read(store: ReadStore, settings: Settings) -> TableAnswer:
        found = await table(store, settings.zone, by, window)
        expected: dict[str, Matured] = {}
        if found.head is not None:
            curve = await read_maturity(store, settings.zone, found.head, await store.tallies())
            expected = await read_expected(store, settings.zone, found, curve)
        return table_answer(found, detail=Detail(expected))

    print_json(read_once(config, read))


def print_table(config: Path | None, by: Scope, window: str, lang: Lang, rois: Chosen) -> None:
    """Print the screen once."""

    async def read(store: ReadStore, settings: Settings) -> Screen:
        return await read_screen(store, settings, by, window, lang, rois)

    print_lines(screen_lines(read_once(config, read), output_width(output())))


def watch_table(config: Path | None, by: Scope, window: str, lang: Lang, rois: Chosen) -> None:
    """Redraw once a refresh until Ctrl-C; without a terminal, print one line per decision instead."""
    settings = load(config)
    try:
        asyncio.run(_watch(settings, _Looked(by, window, lang, rois)))
    except KeyboardInterrupt:
        return


def _read_table(config: Path | None, by: Scope, window: str) -> Table:
    async def read(store: ReadStore, settings: Settings) -> Table:
        return await table(store, settings.zone, by, window)

    return read_once(config, read)


async def _watch(settings: Settings, looked: _Looked) -> None:
    console = output()
    async with open_store(settings) as store:
        if not console.is_terminal:
            await _follow(store, settings, looked)
            return
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                live.update(Group(*await _frame(store, settings, looked, console.size)), refresh=True)
                await asyncio.sleep(settings.serve.refresh_s)


async def _frame(store: ReadStore, settings: Settings, looked: _Looked, size: tuple[int, int]) -> list[Text]:
    """Draw one frame; a store that is away is said in words, and tried again with the next frame."""
    width, height = size
    try:
        lines = screen_lines(await read_screen(store, settings, *looked), width)
    except ServiceUnavailable as error:
        return [Text(f"* {error}", style="bold red", no_wrap=True)]
    if len(lines) > height - 1:
        left = len(lines) - (height - 2)
        more = f"... 还有 {left} 行" if looked.lang == "zh" else f"... {left} more lines; a taller terminal shows them"
        lines = [*lines[: height - 2], Text(more, style="dim", no_wrap=True)]
    return lines


async def _follow(store: ReadStore, settings: Settings, looked: _Looked) -> None:
    """Print each decision once, as it comes."""
    said: set[str] = set()
    while True:
        screen: Screen = await read_screen(store, settings, *looked)
        for line in reversed(decision_lines(screen.feed, looked.lang, settings.zone, limit=40)):
            if line.plain not in said:
                said.add(line.plain)
                sys.stdout.write(line.plain + "\n")
                sys.stdout.flush()
        await asyncio.sleep(settings.serve.refresh_s)
