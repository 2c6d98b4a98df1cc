"""The read API over a store in memory: answers, headers, page, metrics."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from models.errors import ServiceUnavailable
from models.units import EpochMs
from models.windows import Scope
from seeded_day import ZONE, SeededDay
from streams.ports import ReadStore
from streams.readmodel import table
from streams.settings import Settings
from streams.store.memory_store import MemoryStore
from streams.web.answering import table_answer
from streams.web.application import STATIC, build_application

NOON = EpochMs(1_750_056_780_000)


@asynccontextmanager
async def serving(store: ReadStore | None) -> AsyncIterator[httpx.AsyncClient]:
    """Run the application over a store; None for one that is away."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[ReadStore]:
        if store is None:
            raise ServiceUnavailable("Redis at nowhere does not serve")
        yield store

    app = build_application(Settings(), opened, lambda: NOON)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client,
    ):
        for _ in range(200):
            if "not connected yet" not in (await client.get("/readyz")).text:
                break
            await asyncio.sleep(0)  # gives the reader its turn
        yield client


@pytest.fixture
async def store() -> MemoryStore:
    """A store with one seeded day."""
    store = MemoryStore(ZONE)
    await SeededDay(store, NOON).fill()
    return store


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application over the seeded store."""
    async with serving(store) as client:
        yield client


@pytest.mark.parametrize("by", list(Scope))
async def test_the_table_is_the_read_models(client: httpx.AsyncClient, store: MemoryStore, by: Scope) -> None:
    """Totals, shares and ratios are those every other view shows; money is integer micros."""
    expected = table_answer(await table(store, ZONE, by, "24h")).model_dump(mode="json")

    found = (await client.get("/api/v1/table", params={"by": by.value, "window": "24h"})).json()

    for row in [*found["rows"], *expected["rows"]]:
        row.pop("last_minute")
    assert expected == found
    assert isinstance(found["total"]["totals"]["spend_micros"], int)


async def test_rows_of_one_region_are_a_table_of_their_own(client: httpx.AsyncClient) -> None:
    """Shares of a region's campaigns add up to all of that region's spend."""
    params = {"by": "region,campaign", "window": "24h", "region": "440000"}

    found = (await client.get("/api/v1/table", params=params)).json()

    nobody = (await client.get("/api/v1/table", params=params | {"region": "44"})).json()
    assert [] == nobody["rows"]  # the start of a code is not the code
    every = (await client.get("/api/v1/table", params={"by": "region,campaign", "window": "24h"})).json()["rows"]
    own = {row["member"]: row["totals"] for row in every if row["region"] == "440000"}
    assert own == {row["member"]: row["totals"] for row in found["rows"]}
    assert {"440000"} == {row["region"] for row in found["rows"]}
    assert "1.000000" == found["total"]["share"]


async def test_a_limit_leaves_rows_out_but_not_of_the_total(client: httpx.AsyncClient) -> None:
    """The answer says how many rows are missing."""
    whole = (await client.get("/api/v1/table")).json()

    found = (await client.get("/api/v1/table", params={"limit": 3})).json()

    assert (3, 28, whole["total"]) == (len(found["rows"]), found["rows_left_out"], found["total"])


async def test_every_province_has_a_status_and_a_place(client: httpx.AsyncClient) -> None:
    """A region nobody heard of is UNKNOWN, not missing."""
    regions = (await client.get("/api/v1/status")).json()["regions"]

    assert 31 == len({(row["tile_row"], row["tile_col"]) for row in regions})
    assert "UNKNOWN" == next(row["status"] for row in regions if row["region"] == "540000")


async def test_an_id_explains_the_change_and_what_hangs_on_it(client: httpx.AsyncClient) -> None:
    """The first digits are enough; an id nobody has is 404 with a sentence."""
    change = (await client.get("/api/v1/transitions")).json()["transitions"][0]

    found = (await client.get(f"/api/v1/explain/{change['transition_id'][:8]}")).json()
    missing = await client.get("/api/v1/explain/ffffffff")

    assert (change["transition_id"], "applied") == (
        found["transition"]["transition_id"],
        found["results"][0]["result"],
    )
    assert (404, True) == (missing.status_code, "no decision" in missing.json()["detail"])


@pytest.mark.parametrize("path", ["/api/v1/table?window=2h", "/api/v1/table?by=city", "/api/v1/shifts?limit=0"])
async def test_wrong_questions_are_refused(client: httpx.AsyncClient, path: str) -> None:
    """In one sentence that names the parameter, and without reading the store."""
    found = await client.get(path)

    assert (422, {"detail"}) == (found.status_code, found.json().keys())
    assert f"parameter '{re.split('[?=]', path)[1]}': " in found.json()["detail"]


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/metrics", "/healthz", "/readyz", "/static/page.js"])
async def test_probes_may_ask_for_the_head_alone(client: httpx.AsyncClient, path: str) -> None:
    """Load balancers and link checkers do; it is no wrong method."""
    assert 200 == (await client.head(path)).status_code


async def test_every_roi_is_given_when_asked_for(client: httpx.AsyncClient) -> None:
    """With its labels, for rows and total; a region alone as well."""
    for more in ({}, {"region": "440000"}):
        found = (await client.get("/api/v1/table", params={"window": "24h", "roi": "all", **more})).json()

        assert {24} == {len(row["rois"]) for row in [*found["rows"], found["total"]]}
        assert {None} == {row["roi_click_expected"] for row in found["rows"]}  # too few orders to tell


@pytest.mark.parametrize("path", ["/", "/api/v1/meta", "/static/page.js", "/metrics", "/nowhere"])
async def test_every_answer_carries_the_strict_policy(client: httpx.AsyncClient, path: str) -> None:
    """Errors and files included; no origin is allowed to read across."""
    headers = (await client.get(path)).headers

    assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"]
    assert ("nosniff", "DENY") == (headers["x-content-type-options"], headers["x-frame-options"])
    assert "access-control-allow-origin" not in headers


def test_the_page_has_nothing_inline() -> None:
    """No script text, no style, no handler in the HTML; no markup from strings in the scripts."""
    html = (STATIC / "page.html").read_text(encoding="utf-8")
    scripts = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.js"))

    assert [] == re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son[a-z]+=", html)
    assert [] == re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|\.style\b", scripts)


async def test_every_route_is_described_with_a_typed_answer(client: httpx.AsyncClient) -> None:
    """The schema names a model for each answer of the API."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    typed = {
        path: "$ref" in str(route["get"]["responses"]["200"]["content"]["application/json"])
        for path, route in paths.items()
        if path.startswith("/api/v1/") and path not in ("/api/v1/stream", "/api/v1/table.csv")
    }

    assert (
        dict.fromkeys(
            [f"/api/v1/{name}" for name in ("table", "status", "transitions", "shifts", "explain/{wanted}", "meta")],
            True,
        )
        == typed
    )


async def test_a_store_that_is_away_is_said_in_words() -> None:
    """The process is alive, not ready, and the metrics say so."""
    async with serving(None) as client:
        ready, table_, alive = [await client.get(path) for path in ("/readyz", "/api/v1/table", "/healthz")]
        metrics = (await client.get("/metrics")).text

    assert (503, ["Redis at nowhere does not serve"]) == (ready.status_code, ready.json()["reasons"])
    assert (503, "Redis at nowhere does not serve") == (table_.status_code, table_.json()["detail"])
    assert 200 == alive.status_code
    assert "subsidywatch_serve_store_up 0.0" in metrics


async def test_metrics_hold_the_figures_of_the_table(client: httpx.AsyncClient) -> None:
    """The gauge of a region is the integer that the table prints from."""
    row = (await client.get("/api/v1/table", params={"window": "24h"})).json()["rows"][0]
    text = (await client.get("/metrics")).text

    found = re.search(rf'region_spend_micros{{region="{row["region"]}",window="24h"}} (\S+)', text)

    assert found is not None
    assert row["totals"]["spend_micros"] == float(found[1])
