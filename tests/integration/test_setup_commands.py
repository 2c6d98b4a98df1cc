"""Topics, doctor and dead letters as an operator meets them, on a broker and a Redis of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

from services import Broker, RedisServer
from streams.topics import TOPICS

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]


class Shell:
    """Runs verbs against one broker and one Redis."""

    def __init__(self, bootstrap: str, redis_url: str) -> None:
        self._env = {
            **os.environ,
            "SUBSIDYWATCH_KAFKA__BOOTSTRAP": bootstrap,
            "SUBSIDYWATCH_REDIS__URL": redis_url,
            "SUBSIDYWATCH_REDIS__PREFIX": "setup",  # others write to the same Redis, about other logs
        }

    def __call__(self, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
        """Run `subsidywatch` with these words; keywords are more settings."""
        argv = [sys.executable, "-P", "-m", "streams", *words]
        return subprocess.run(argv, env={**self._env, **extra}, capture_output=True, text=True, check=False, timeout=90)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Give a broker without any topic."""
    made = Broker(tmp_path_factory.mktemp("setup"))
    yield made
    made.stop()


@pytest.fixture
def shell(broker: Broker, redis_server: RedisServer) -> Shell:
    """Give a shell on the services."""
    return Shell(broker.bootstrap, redis_server.url)


def test_topics_from_nothing_to_checked(shell: Shell) -> None:
    """Absent topics fail the check, creating twice is harmless, and another width is found out."""
    absent = shell("topics", "check", "--json")
    created, again = shell("topics", "create"), shell("topics", "create")
    checked = shell("topics", "check")
    wider = shell("topics", "check", SUBSIDYWATCH_KAFKA__PARTITIONS="6")

    (sentence,) = json.loads(absent.stdout)["problems"]
    assert (1, []) == (absent.returncode, [spec.name for spec in TOPICS if spec.name not in sentence])
    assert (0, f"{len(TOPICS)} created, 0 were there") == (created.returncode, created.stdout.splitlines()[-1])
    assert (0, f"0 created, {len(TOPICS)} were there\n") == (again.returncode, again.stdout)
    assert (0, f"all {len(TOPICS)} topics are as they should be\n") == (checked.returncode, checked.stdout)
    assert 1 == wider.returncode
    assert "ads.clicks.v1 has 4 partitions, not 6" in wider.stdout


def test_doctor_passes_on_good_services(shell: Shell) -> None:
    """With topics, a safe Redis and the codecs there, nothing fails."""
    shell("topics", "create")
    done = shell("doctor", "--json")
    verdicts = {check["what"]: check["verdict"] for check in json.loads(done.stdout)}

    assert 0 == done.returncode, done.stdout
    good = (
        "settings",
        "Kafka",
        "topics",
        "retention",
        "record times",
        "duplicates",
        "Redis",
        "Redis memory",
        "scripts",
    )
    assert {"PASS"} == {verdicts[what] for what in (*good, "clock", "dead letters")}


def test_doctor_says_what_is_away() -> None:
    """Nobody listens at either: exit 3, and both are named with the setting to look at."""
    done = Shell("127.0.0.1:1", "redis://127.0.0.1:1/0")("doctor")
    away = [line for line in done.stdout.splitlines() if line.startswith("AWAY")]

    assert 3 == done.returncode
    assert ["SUBSIDYWATCH_KAFKA__BOOTSTRAP" in away[0], "SUBSIDYWATCH_REDIS__URL" in away[1]] == [True, True]


def test_dead_letters_are_listed_and_shown_whole(shell: Shell, broker: Broker) -> None:
    """The list names place, reason and origin; the record itself comes back with its bytes."""
    shell("topics", "create")
    headers = [
        ("reason", b"not_json"),
        ("detail", b"expected a value"),
        ("topic", b"ads.clicks.v1"),
        ("partition", b"3"),
        ("offset", b"77"),
    ]
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    producer.send("ads.clicks.v1.dead", b"{oops", headers=headers).get(20)
    producer.close()
    listed = shell("dlq", "list", "--topic", "ads.clicks.v1", "--json")
    shown = shell("dlq", "show", "ads.clicks.v1.dead/0/0")
    absent = shell("dlq", "show", "ads.clicks.v1.dead/0/999")
    wrong = shell("dlq", "show", "nonsense")

    assert [
        {
            "place": "ads.clicks.v1.dead/0/0",
            "reason": "not_json",
            "detail": "expected a value",
            "original": "ads.clicks.v1/3/77",
            "bytes": 5,
            "rounds": 0,
        }
    ] == json.loads(listed.stdout)
    assert "{oops" == shown.stdout.splitlines()[-1]
    assert "reason: not_json" in shown.stdout
    assert [2, 2] == [absent.returncode, wrong.returncode]


def test_config_shows_sources_and_hides_secrets(tmp_path: Path) -> None:
    """Environment beats file, both are named, and no password is printed."""
    path = tmp_path / "mine.toml"
    path.write_text('[kafka]\ngroup = "mine"\n[redis]\nurl = "redis://me:hush@10.0.0.1:6379/0"\n')
    done = Shell("10.0.0.2:9092", "redis://me:hush@10.0.0.3:6379/0")(
        "config",
        "show",
        "--json",
        "--config",
        str(path),
        SUBSIDYWATCH_REDIS__PASSWORD="hush",  # noqa: S106 - a word to look for
    )
    rows = {row["name"].removeprefix("SUBSIDYWATCH_"): (row["value"], row["source"]) for row in json.loads(done.stdout)}

    assert ("10.0.0.2:9092", "environment") == rows["KAFKA__BOOTSTRAP"]
    assert ("mine", str(path)) == rows["KAFKA__GROUP"]
    assert ("4", "default") == rows["KAFKA__PARTITIONS"]
    assert "hush" not in done.stdout + done.stderr
