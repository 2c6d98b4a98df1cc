"""The command line as a process: exit codes, and one sentence per mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(sys.executable).with_name("subsidywatch")
NOWHERE = "redis://127.0.0.1:1/0"


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the console script without a terminal, with nothing but `env` as settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SUBSIDYWATCH_")}
    return subprocess.run(
        [str(SCRIPT), *arguments], env=clean | env, capture_output=True, text=True, timeout=60, check=False
    )


def test_version_names_what_is_installed() -> None:
    """`version` prints ours and Faust's version and ends with 0."""
    done = run("version")

    assert (0, "") == (done.returncode, done.stderr)
    assert "faust-streaming 0.15.3" in done.stdout


def test_module_is_the_same_program() -> None:
    """`python -P -m streams` prints what the console script prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "streams", "version"], capture_output=True, text=True, timeout=60, check=False
    )

    assert run("version").stdout == done.stdout


@pytest.mark.parametrize(
    ("arguments", "env", "code", "words"),
    [
        (("nope",), {}, 2, "No such command 'nope'"),
        (("table", "--nope"), {}, 2, "No such option: --nope"),
        (("serve", "--port", "99999"), {}, 2, "less than or equal to 65535"),
        (("serve", "--host", ""), {}, 2, "listen on every address"),
        (("table", "--window", "7h"), {}, 2, "there is no window '7h'"),
        (("simulate", "--scenario", "nope", "--out", "x"), {}, 2, "there is no scenario 'nope'"),
        (("worker",), {"SUBSIDYWATCH_KAFKA__PARTITIONS": "0"}, 2, "SUBSIDYWATCH_KAFKA__PARTITIONS"),
        (("worker",), {"SUBSIDYWATCH_KAFKA__GROP": "x"}, 2, "SUBSIDYWATCH_KAFKA__GROP is not a setting"),
        (("table",), {"SUBSIDYWATCH_REDIS__URL": NOWHERE}, 3, "Redis at 127.0.0.1:1"),
        (("status",), {"SUBSIDYWATCH_REDIS__URL": NOWHERE}, 3, "Redis at 127.0.0.1:1"),
    ],
)
def test_mistake_has_a_sentence_and_an_exit_code(
    arguments: tuple[str, ...], env: dict[str, str], code: int, words: str
) -> None:
    """Wrong use and wrong settings end with 2, a service that is away with 3, and never with a traceback."""
    done = run(*arguments, **env)

    assert code == done.returncode, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback() -> None:
    """`--debug` is for those who want more than the sentence."""
    done = run("table", "--debug", SUBSIDYWATCH_REDIS__URL=NOWHERE)

    assert "Traceback" in done.stderr


def test_reader_that_hangs_up_is_no_fault() -> None:
    """`subsidywatch config show | head -1` ends without a complaint."""
    done = subprocess.run(  # noqa: S602 - a pipe is what is tested
        f"{SCRIPT} config show | head -1",
        shell=True,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "" == done.stderr
