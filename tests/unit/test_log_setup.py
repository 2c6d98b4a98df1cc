"""Log lines are JSON outside a terminal, one object a line, with our fields and without the libraries' chatter."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from streams.log_setup import MOST_REMEMBERED, NoRepeats, set_up


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Our lines and a library's come out alike; what is below the level does not."""
    set_up("json", "info")
    structlog.get_logger("streams.worker").info("partitions_assigned", count=3, region="广东")
    structlog.get_logger("streams.worker").debug("hidden")
    logging.getLogger("aiokafka.conn").info("hidden")
    logging.getLogger("aiokafka.conn").warning("node %s gone", 1)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [("partitions_assigned", "info", 3), ("node 1 gone", "warning", None)] == [
        (line["event"], line["level"], line.get("count")) for line in lines
    ]
    assert "广东" == lines[0]["region"]
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_a_library_does_not_repeat_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """A client that retries says the same once; other words and our own lines all come."""
    set_up("json", "info")
    for _ in range(3):
        logging.getLogger("aiokafka.conn").warning("node %s gone", 1)
        structlog.get_logger("streams.worker").info("mine")
    logging.getLogger("aiokafka.conn").warning("node %s gone", 2)
    said = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]

    assert ["node 1 gone", "mine", "mine", "mine", "node 2 gone"] == said


def test_a_library_may_say_it_again_later() -> None:
    """After a while the same words pass again, and what is remembered is bounded."""
    filter_ = NoRepeats()

    def line(words: str, at: float) -> logging.LogRecord:
        return logging.makeLogRecord({"name": "aiokafka", "msg": words, "created": at})

    passed = [filter_.filter(line("gone", at)) for at in (100.0, 105.0, 111.0)]
    for number in range(MOST_REMEMBERED):
        filter_.filter(line(str(number), 112.0))

    assert [True, False, True] == passed
    assert filter_.filter(line("gone", 113.0))


def test_a_traceback_is_part_of_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception does not break one line into many."""
    set_up("auto", "error")
    try:
        raise ValueError("planted")
    except ValueError as error:
        structlog.get_logger("x").error("worker_failed", exc_info=error)
    (line,) = capsys.readouterr().err.splitlines()

    assert "ValueError: planted" in json.loads(line)["exception"]


def test_console_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """On request they are for people."""
    set_up("console", "debug")
    structlog.get_logger("x").debug("hello_there", n=1)
    text = capsys.readouterr().err

    assert "hello_there" in text
    assert not text.startswith("{")
