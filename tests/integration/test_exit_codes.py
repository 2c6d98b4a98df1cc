"""What a person at a terminal meets of each error: one sentence, the promised exit code, and no traceback unasked."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from services import RedisServer

pytestmark = pytest.mark.integration

NOBODY = "redis://me:hush@127.0.0.1:1/0"
RUN = ("backtest", "absent.ndjson", "--mapping", "ipinyou", "--out", "out")


def subsidywatch(folder: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a verb in a folder of its own."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "streams", *words],
        cwd=folder,
        env={**os.environ, **{f"SUBSIDYWATCH_{name}": value for name, value in settings.items()}},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("words", "settings", "code", "sentence"),
    [
        (("table",), {"REDIS__SHARDS": "many"}, 2, "SUBSIDYWATCH_REDIS__SHARDS"),
        (("worker",), {"RULES__DETECTOR__KIND": "guess"}, 2, "SUBSIDYWATCH_RULES__DETECTOR__KIND"),
        (RUN, {}, 2, "absent.ndjson"),
        (("table",), {"REDIS__URL": NOBODY}, 3, "127.0.0.1:1"),
        (("simulate", "--to", "kafka"), {"KAFKA__BOOTSTRAP": "127.0.0.1:1"}, 3, "127.0.0.1:1"),
    ],
    ids=["SettingsError", "SettingsError-of-rules", "InputFileError", "ServiceUnavailable", "ServiceUnavailable-Kafka"],
)
def test_an_error_is_one_sentence_and_a_code(
    words: tuple[str, ...], settings: dict[str, str], code: int, sentence: str, tmp_path: Path
) -> None:
    """The sentence names what to look at, keeps passwords, and stands alone on stderr."""
    done = subsidywatch(tmp_path, *words, **settings)

    assert (code, 1) == (done.returncode, len(done.stderr.strip().splitlines()))
    assert sentence in done.stderr
    assert "hush" not in done.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """Whoever asks sees where the sentence came from."""
    done = subsidywatch(tmp_path, "table", "--debug", REDIS__URL=NOBODY)

    assert "Traceback" in done.stderr
    assert "ServiceUnavailable" in done.stderr


def test_a_worker_refuses_a_store_that_forgets(tmp_path: Path) -> None:
    """A Redis that may evict keys would lose totals in silence: the worker ends with 2 and names the setting."""
    server = RedisServer(tmp_path, valkey=True, arguments=["--maxmemory-policy", "allkeys-lru"])
    try:
        done = subsidywatch(
            tmp_path, "worker", REDIS__URL=server.url, WORKER__METRICS_PORT="0", WORKER__LOG_FORMAT="json"
        )
    finally:
        server.stop()

    assert 2 == done.returncode
    assert "maxmemory-policy" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
