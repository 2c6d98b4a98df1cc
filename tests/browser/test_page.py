"""The live page in real Chromium: shows the API's numbers, moves by itself, survives a restart, stays clean."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

import services
from models.units import EpochMs
from seeded_day import ZONE, SeededDay
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore

pytestmark = pytest.mark.browser

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


class Serve:
    """A serve process that can be ended and started again on the same port."""

    def __init__(self, url: str) -> None:
        self.port = services.free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._url = url
        self.start()

    def start(self) -> None:
        """Start and wait until figures flow."""
        argv = [sys.executable, "-P", "-m", "streams", "serve", "--port", str(self.port)]
        self._process = subprocess.Popen(argv, env={**os.environ, "SUBSIDYWATCH_REDIS__URL": self._url})
        services.wait_for(self._ready, what="serve is ready")

    def stop(self) -> None:
        """End in order."""
        self._process.terminate()
        self._process.wait(timeout=10)

    def _ready(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz").status_code == 200
        except httpx.TransportError:
            return False


@pytest.fixture
async def day(valkey_server: services.RedisServer) -> AsyncIterator[SeededDay]:
    """A store with one seeded day whose newest event is now."""
    valkey_server.flush()
    store = await RedisStore.connect(RedisSettings(url=valkey_server.url), ZONE)
    day = SeededDay(store, EpochMs(time.time_ns() // 1_000_000))
    await day.fill()
    yield day
    await store.close()


@pytest.fixture
def server(day: SeededDay, valkey_server: services.RedisServer) -> Iterator[Serve]:
    """A serve process over that store."""
    serve = Serve(valkey_server.url)
    yield serve
    serve.stop()


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    """A real Chromium without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(chromium), args=ARGUMENTS)
        yield browser
        await browser.close()


async def opened(
    browser: Browser, server: Serve, width: int = 1440, height: int = 900, locale: str = "en-US"
) -> tuple[Page, list[str]]:
    """Open the page; gives it and what it complained about so far."""
    context = await browser.new_context(viewport={"width": width, "height": height}, locale=locale)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
    await page.goto(server.address)
    await expect(page.locator("#rows tr[data-id]").first).to_be_visible(timeout=15_000)
    return page, complaints


async def cell(page: Page, region: str, column: str) -> str:
    """Give the text of a cell of the table."""
    return (await page.locator(f'#rows tr[data-id="{region}"] .c-{column}').inner_text()).strip()


def one_place(text: str | None) -> str:
    """Print a ratio as the page does."""
    return "–" if text is None else f"{float(text):.1f}"


async def test_table_and_map_show_the_numbers_of_the_api(browser: Browser, server: Serve) -> None:
    """Spend, orders and direct ROI of every region, and the total row."""
    page, complaints = await opened(browser, server)
    async with httpx.AsyncClient(base_url=server.address) as api:
        answer = (await api.get("/api/v1/table")).json()
    rows, total = answer["rows"], answer["total"]

    for row in rows:
        code, totals, orders = row["region"], row["totals"], row["totals"]["direct_orders"]
        roi = ("~" if 0 < orders < 10 else "") + one_place(row["ratios"]["roi_direct"]) if orders else "–"
        assert f"{totals['spend_micros'] / 1e6:,.0f}" == await cell(page, code, "spend")
        assert f"{orders:,}" == await cell(page, code, "orders")
        assert roi == re.sub("[▲▼\n]", "", await cell(page, code, "roi"))
        tile = await page.locator(f'.tile[data-a="{code}"] .v').inner_text()
        assert (f"{float(row['ratios']['roi_direct']):.0f}" if orders else "–") == tile.strip()
    assert f"{total['totals']['spend_micros'] / 1e6:,.0f}" == (await page.locator("#tot .c-spend").inner_text()).strip()
    assert [] == complaints


async def test_figures_and_decisions_arrive_without_reload(browser: Browser, server: Serve, day: SeededDay) -> None:
    """An order moves its row, a transition moves tile and feed; nothing is reloaded."""
    page, complaints = await opened(browser, server)
    await page.evaluate("window.same = true")
    before = int(await cell(page, "110000", "orders"))
    await day.tick("110000", orders=5)
    await expect(page.locator('#rows tr[data-id="110000"] .c-orders')).to_have_text(str(before + 5), timeout=5_000)
    await day.decide(day.now, off="310000")

    await expect(page.locator('.tile[data-a="310000"]')).to_have_class(re.compile("OFF"), timeout=5_000)
    await expect(page.locator("#feed")).to_contain_text("Shanghai is OFF since")
    await expect(page.locator("#feed")).to_contain_text("Dry run: would move 18,000 yuan/day")
    assert await page.evaluate("window.same")
    assert [] == complaints


async def test_it_survives_a_restart_of_the_server(browser: Browser, server: Serve, day: SeededDay) -> None:
    """It says that it is cut off, connects again by itself and goes on; no error of its own."""
    page, complaints = await opened(browser, server)
    await page.evaluate("window.same = true")
    await asyncio.to_thread(server.stop)
    await expect(page.locator("#f-state")).to_have_text("Disconnected", timeout=15_000)
    await asyncio.to_thread(server.start)
    await expect(page.locator("#f-state")).to_have_text("Up to date", timeout=15_000)
    before = int(await cell(page, "110000", "orders"))
    await day.tick("110000", orders=2)

    await expect(page.locator('#rows tr[data-id="110000"] .c-orders')).to_have_text(str(before + 2), timeout=5_000)
    assert await page.evaluate("window.same")
    assert [] == [text for text in complaints if "ERR_" not in text]  # the browser itself logs the refused connection


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
@pytest.mark.parametrize("width", [320, 390, 720, 1000, 1440, 1920])
async def test_nothing_scrolls_sideways(browser: Browser, server: Serve, width: int, locale: str) -> None:
    """At any width, in both languages, the page is as wide as the screen."""
    page, complaints = await opened(browser, server, width=width, locale=locale)

    assert width == await page.evaluate("document.documentElement.scrollWidth")
    assert [] == complaints


async def test_foreign_names_are_text_and_nothing_is_styled_inline(browser: Browser, server: Serve) -> None:
    """A campaign named like a tag is shown as it is; the strict policy is never broken."""
    page, complaints = await opened(browser, server)
    await page.locator('#by input[value="campaign"]').check(force=True)

    await expect(page.locator("#rows")).to_contain_text("<img src=x onerror=alert(1)>")
    assert 0 == await page.locator("main img, [style]").count()
    assert [] == complaints


async def test_windows_languages_and_themes_switch_in_place(browser: Browser, server: Serve) -> None:
    """Each choice redraws; language and theme are remembered."""
    page, complaints = await opened(browser, server)
    await page.locator('#wins input[value="1m"]').check(force=True)
    await expect(page.locator("#rows tr[data-id]")).to_have_count(31)
    await page.locator("#lang").click()
    await expect(page.locator("#table-title")).to_have_text("国补区域监测表")
    await page.locator("#theme").click()
    await page.reload()

    await expect(page.locator("#table-title")).to_have_text("国补区域监测表")
    assert "dark" == await page.evaluate("document.documentElement.dataset.theme")
    assert [] == complaints


async def test_keyboard_alone_opens_a_region_and_comes_back(browser: Browser, server: Serve) -> None:
    """Arrows walk between neighbours, Enter opens, Escape returns to the same tile."""
    page, complaints = await opened(browser, server)
    await page.locator('.tile[data-a="110000"]').focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page.locator("#drawer")).to_contain_text("Hebei")
    await expect(page.locator("#d-camps")).to_contain_text("Direct ROI")
    await page.keyboard.press("Escape")

    assert "130000" == await page.evaluate("document.activeElement.dataset.a")
    assert [] == complaints


ENGLISH = ("Paid less refunded", "Direct net", "lines cut", "not enough orders yet")
CHINESE = ("实付减退款", "线索净额", "行被封顶", "尚不能预计")


@pytest.mark.parametrize(("width", "locale", "said"), [(1440, "en-US", ENGLISH), (390, "zh-CN", CHINESE)])
async def test_the_drawer_shows_every_roi(
    browser: Browser, server: Serve, width: int, locale: str, said: tuple[str, ...]
) -> None:
    """Amounts and scopes against basis and window, as the API gives them; nothing scrolls sideways."""
    page, complaints = await opened(browser, server, width=width, locale=locale)
    await page.locator('.tile[data-a="440000"]').click()
    for words in said:
        await expect(page.locator("#drawer")).to_contain_text(words)
    answer = await (await page.request.get(f"{server.address}/api/v1/table?region=440000&roi=all")).json()
    cells = await page.locator("#d-rois td").all_inner_texts()

    assert (24, one_place(answer["rows"][0]["ratios"]["roi_direct"])) == (len(cells), cells[0].lstrip("~"))
    assert await page.locator("#drawer").evaluate("box => box.scrollWidth <= box.clientWidth")
    assert [] == complaints


async def test_a_store_that_is_away_is_said_on_the_page(
    browser: Browser, server: Serve, valkey_server: services.RedisServer, day: SeededDay
) -> None:
    """Figures vanish rather than look alive, and come back by themselves."""
    page, _ = await opened(browser, server)
    valkey_server.kill()
    await expect(page.locator("#attn-body")).to_contain_text("the store cannot be read", timeout=15_000)
    await asyncio.to_thread(valkey_server.start)

    await expect(page.locator("#f-state")).to_have_text("Up to date", timeout=20_000)
    await expect(page.locator("#rows tr[data-id]")).to_have_count(31)


async def test_pictures_can_be_taken(browser: Browser, server: Serve, tmp_path: Path) -> None:
    """The page at 1440 and 390 px, kept where PICTURES_DIR names a folder, else thrown away."""
    folder = Path(os.environ.get("PICTURES_DIR", tmp_path))
    sizes = []
    for name, width, height in (("page-1440", 1440, 900), ("page-390", 390, 844)):
        page, _ = await opened(browser, server, width=width, height=height)
        await page.screenshot(path=folder / f"{name}.png")
        sizes.append((folder / f"{name}.png").stat().st_size)

    assert all(size > 20_000 for size in sizes)
