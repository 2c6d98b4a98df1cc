"""What the reading commands share: one connection to the store, one language, one way to print JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel
from rich.console import Console
from rich.text import Text

from models.errors import SettingsError
from models.units import EpochMs
from models.windows import Scope
from streams.bootstrap import open_store, wall_clock
from streams.ports import ReadStore
from streams.readfresh import freshness
from streams.readlog import feed
from streams.readmeta import read_meta
from streams.readmodel import table
from streams.readstatus import read_decided
from streams.settings import Settings, load
from streams.terminal.rois import REPORT, Chosen
from streams.terminal.screen import Screen
from streams.terminal.view import ViewData
from streams.wording import Lang

Answer = TypeVar("Answer")


def read_once(config: Path | None, read: Callable[[ReadStore, Settings], Awaitable[Answer]]) -> Answer:
    """Connect to the store, read, and close.

    Raises:
        SettingsError: a setting is wrong.
        ServiceUnavailable: the store is away.
    """
    settings = load(config)

    async def connected() -> Answer:
        async with open_store(settings) as store:
            return await read(store, settings)

    return asyncio.run(connected())


async def read_screen(
    store: ReadStore, settings: Settings, by: Scope, window: str, lang: Lang, rois: Chosen = REPORT
) -> Screen:
    """Read everything one drawing of the terminal table needs.

    Raises:
        ServiceUnavailable: the store is away.
    """
    now: EpochMs = wall_clock()
    meta = await read_meta(store, settings, now)
    rows = await table(store, settings.zone, by, window, meta.head)
    fresh = None
    if meta.head is not None and by is not Scope.REGION_CAMPAIGN:
        fresh = await freshness(store, by, meta.head)
    decided = await read_decided(store)
    view = ViewData(table=rows, statuses=decided.statuses, fresh=fresh, lang=lang, rois=rois)
    return Screen(view=view, meta=meta, zone=settings.zone, feed=await feed(store, 20))


def parse_lang(lang: str | None) -> Lang:
    """Choose the language: as asked, else Chinese where the locale is, else English.

    Raises:
        SettingsError: it is neither `en` nor `zh`.
    """
    if lang is None:
        locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
        return "zh" if locale.lower().startswith("zh") else "en"
    if lang not in ("en", "zh"):
        raise SettingsError(f"there is no language {lang!r}; take en or zh")
    return cast(Lang, lang)


def output() -> Console:
    """Give a console for stdout: colour and width only on a terminal, `NO_COLOR` and `TERM=dumb` respected."""
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, soft_wrap=True)


def output_width(console: Console) -> int:
    """Give the columns to draw for: the terminal's, or the widest table for a pipe."""
    return console.width if console.is_terminal else 160


def print_lines(lines: list[Text]) -> None:
    """Print lines as they are, neither wrapped nor cut."""
    console = output()
    for line in lines:
        if console.is_terminal:
            console.print(line, soft_wrap=True)
        else:
            console.out(line.plain.rstrip(), highlight=False)


def print_json(answer: BaseModel) -> None:
    """Print an answer as the API gives it."""
    body = answer.model_dump(mode="json", by_alias=True)
    sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
