"""The serve process on a real store: ends in time, survives the store, agrees with the terminal and PromQL."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx
import pytest

import services
from models.units import EpochMs
from seeded_day import ZONE, SeededDay
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore

pytestmark = pytest.mark.integration

Start = Callable[..., tuple[subprocess.Popen[bytes], str]]


def environment(url: str, **more: str) -> dict[str, str]:
    """Give the environment of a process that reads this store."""
    return {**os.environ, "SUBSIDYWATCH_REDIS__URL": url, "NO_COLOR": "1", **more}


def command(*arguments: str) -> list[str]:
    """Give the command line of a verb."""
    return [sys.executable, "-P", "-m", "streams", *arguments]


@pytest.fixture
def start(valkey_server: services.RedisServer) -> Iterator[Start]:
    """Start `serve` and wait until it answers; gives the process and its address."""
    begun: list[subprocess.Popen[bytes]] = []

    def begin(url: str | None = None, **more: str) -> tuple[subprocess.Popen[bytes], str]:
        port = services.free_port()
        process = subprocess.Popen(
            command("serve", "--port", str(port)),
            env=environment(url or valkey_server.url, **more),
            stderr=subprocess.PIPE,
        )
        begun.append(process)
        address = f"http://127.0.0.1:{port}"
        services.wait_for(lambda: answers(f"{address}/healthz"), what="serve answers")
        return process, address

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def answers(url: str) -> httpx.Response | None:
    """Give the answer; None while nothing listens."""
    try:
        return httpx.get(url)
    except httpx.TransportError:
        return None


def is_ready(address: str) -> bool:
    """Tell whether figures flow."""
    answer = answers(f"{address}/readyz")
    return answer is not None and answer.status_code == 200


def opened(pages: ExitStack, address: str) -> Iterator[str]:
    """Open an event stream that stays open, and give its lines after the first."""
    stream = pages.enter_context(httpx.stream("GET", f"{address}/api/v1/stream", timeout=10))
    lines = stream.iter_lines()
    next(lines)
    return lines


@pytest.fixture
async def seeded(valkey_server: services.RedisServer) -> str:
    """Address of a store with one seeded day that ends now."""
    valkey_server.flush()
    store = await RedisStore.connect(RedisSettings(url=valkey_server.url), ZONE)
    await SeededDay(store, EpochMs(time.time_ns() // 1_000_000)).fill()
    await store.close()
    return valkey_server.url


def test_a_signal_ends_it_in_time_with_live_pages_open(seeded: str, start: Start) -> None:
    """Streams have no end of their own; the server ends them and exits with 0 within 5 s."""
    process, address = start()
    with ExitStack() as pages:
        lines = [opened(pages, address) for _ in range(3)]
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=10)
        took = time.monotonic() - began
        for line in lines:
            list(line)  # ends without an error: the answer was finished, not cut

    assert 0 == code
    assert took < 5


def test_more_pages_than_allowed_are_refused(seeded: str, start: Start) -> None:
    """With a sentence and a hint when to come back."""
    _, address = start(SUBSIDYWATCH_SERVE__MAX_STREAMS="1")
    with ExitStack() as pages:
        first = opened(pages, address)
        second = pages.enter_context(httpx.stream("GET", f"{address}/api/v1/stream", timeout=10))

        assert (503, "5") == (second.status_code, second.headers.get("retry-after"))
        assert next(first)


def test_it_survives_a_store_that_goes_and_comes_back(tmp_path: Path, start: Start) -> None:
    """While Redis is away it says so; afterwards figures come back by themselves."""
    server = services.RedisServer(tmp_path)
    try:
        _, address = start(server.url)
        services.wait_for(lambda: is_ready(address), what="ready")
        server.kill()
        services.wait_for(lambda: not is_ready(address), what="unready")
        away = httpx.get(f"{address}/readyz")
        alive = httpx.get(f"{address}/healthz").status_code
        server.start()
        services.wait_for(lambda: is_ready(address), what="ready again")
    finally:
        server.stop()

    assert "Redis at 127.0.0.1" in away.json()["reasons"][0]
    assert 200 == alive


def test_a_port_in_use_is_a_sentence_and_exit_code_2(seeded: str, start: Start) -> None:
    """It names the setting and what to do."""
    _, address = start()

    port = address.rpartition(":")[2]
    second = subprocess.run(
        command("serve", "--port", port), env=environment(seeded), capture_output=True, text=True, timeout=30
    )

    assert 2 == second.returncode
    assert "SUBSIDYWATCH_SERVE__PORT" in second.stderr
    assert "Traceback" not in second.stderr


def test_the_terminal_and_the_api_give_the_same_bytes(seeded: str, start: Start) -> None:
    """`table --csv` is the file behind the page's CSV button, and `table --json` the API's answer with every ROI."""
    _, address = start()
    services.wait_for(lambda: is_ready(address), what="ready")

    def run(*more: str) -> str:
        argv = command("table", "--window", "24h", *more)
        return subprocess.run(
            argv, env=environment(seeded), capture_output=True, check=True, timeout=30
        ).stdout.decode()

    api = httpx.get(f"{address}/api/v1/table", params={"window": "24h", "roi": "all"}).json()

    assert httpx.get(f"{address}/api/v1/table.csv", params={"window": "24h"}).text == run("--csv")
    assert api["total"] == json.loads(run("--json"))["total"]


def test_the_switch_stops_and_resumes_shifts(seeded: str, start: Start) -> None:
    """Who did it is said; the API shows it."""
    _, address = start(SUBSIDYWATCH_SERVE__REFRESH_S="0.2")
    for action, expected in (("stop", True), ("resume", False)):
        argv = command("shifts", action, "--actor", "tester")
        said = subprocess.run(argv, env=environment(seeded), capture_output=True, check=True, timeout=30).stdout
        services.wait_for(partial(is_killed, address, expected), what=action)

        assert b"by tester" in said


def is_killed(address: str, expected: bool) -> bool:
    """Tell whether the API shows the switch like this."""
    answer = httpx.get(f"{address}/api/v1/meta")
    return answer.status_code == 200 and answer.json()["killed"] is expected


def test_promql_gives_the_figures_of_the_table(seeded: str, start: Start, tmp_path: Path, promtool: Path) -> None:
    """Spend, clicks and ROI of every region, by a real Prometheus that scraped this process."""
    _, address = start()
    services.wait_for(lambda: is_ready(address), what="ready")
    checked = subprocess.run(
        [str(promtool), "check", "metrics"], input=httpx.get(f"{address}/metrics").content, capture_output=True
    )
    prometheus = services.Prometheus(tmp_path, {"serve": address.removeprefix("http://")})
    try:
        spend = services.wait_for(
            lambda: by_region(prometheus, 'subsidywatch_region_spend_micros{window="24h"}'), what="a scrape"
        )
        clicks = by_region(prometheus, 'subsidywatch_region_clicks{window="24h"}')
        roi = by_region(
            prometheus,
            'subsidywatch_region_direct_gmv_micros{window="24h"} / subsidywatch_region_spend_micros{window="24h"}',
        )
    finally:
        prometheus.stop()
    rows = httpx.get(f"{address}/api/v1/table", params={"window": "24h"}).json()["rows"]

    assert (0, b"") == (checked.returncode, checked.stdout + checked.stderr)
    assert {row["region"]: row["totals"]["spend_micros"] for row in rows} == spend
    assert {row["region"]: row["totals"]["clicks"] for row in rows} == clicks
    assert {row["region"]: row["ratios"]["roi_direct"] for row in rows} == {k: f"{v:.6f}" for k, v in roi.items()}


def by_region(prometheus: services.Prometheus, query: str) -> dict[str, float]:
    """Ask Prometheus and give value by region."""
    return {labels["region"]: value for labels, value in prometheus.query(query)}
