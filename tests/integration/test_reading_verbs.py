"""The reading verbs as processes on a real store: words, exit codes, no traceback."""

import os
import subprocess
import sys
import time

import pytest

import services
from models.units import EpochMs
from seeded_day import ZONE, SeededDay
from streams.settings import RedisSettings
from streams.store.redis_store import RedisStore

pytestmark = pytest.mark.integration


def environment(url: str) -> dict[str, str]:
    """Give the environment of a process that reads this store."""
    return {**os.environ, "SUBSIDYWATCH_REDIS__URL": url, "NO_COLOR": "1"}


def command(*arguments: str) -> list[str]:
    """Give the command line of a verb."""
    return [sys.executable, "-P", "-m", "streams", *arguments]


@pytest.fixture
async def seeded(valkey_server: services.RedisServer) -> str:
    """Address of a store with one seeded day that ends now."""
    valkey_server.flush()
    store = await RedisStore.connect(RedisSettings(url=valkey_server.url), ZONE)
    await SeededDay(store, EpochMs(time.time_ns() // 1_000_000)).fill()
    await store.close()
    return valkey_server.url


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("table", "--lang", "en"), 0, "Guangdong"),
        (("table", "--by", "campaign", "--lang", "zh"), 0, "小米17 国补 快车"),
        (("status", "--lang", "en"), 0, "UNKNOWN 2"),
        (("transitions", "--lang", "en"), 0, "Guangdong      OFF since"),
        (("shifts", "--lang", "en"), 0, "example: applied"),
        (("explain", "ffffffff"), 1, "no decision in the log"),
        (("table", "--window", "2h"), 2, "take one of"),
        (("shifts", "undo"), 2, "list, stop or resume"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_reading_verbs_answer_in_words_and_codes(
    seeded: str, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """0 is an answer, 1 a finding, 2 wrong use; never a traceback."""
    ended = subprocess.run(
        command(*arguments), env=environment(seeded), capture_output=True, text=True, encoding="utf-8", timeout=30
    )

    assert code == ended.returncode
    assert words in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_a_store_a_reading_verb_exits_with_3() -> None:
    """One sentence says what is away."""
    ended = subprocess.run(
        command("table"),
        env=environment("redis://127.0.0.1:1/0"),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (3, 1) == (ended.returncode, len(ended.stderr.strip().splitlines()))
