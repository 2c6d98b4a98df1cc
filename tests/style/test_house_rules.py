"""The house rules that a program can judge; the others are read in review."""

import ast
import builtins
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import models.errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("models", "rules", "streams")
LONGEST_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION, MOST_IGNORES = 250, 40, 10, 10
FORBIDDEN_IN_TESTS = (
    r"\bsleep\((?!0\))",  # `asyncio.sleep(0)` gives the loop a turn and takes no time
    r"flaky",
    r"unittest.mock|MagicMock|mocker",
    r"monkeypatch\.setattr\((?:streams|rules|models)",
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*packages: str) -> Iterator[Path]:
    """Python files of packages."""
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def short(path: Path) -> str:
    """The path as people write it."""
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, nested ones included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Function):
            yield node


def length(function: Function) -> int:
    """Lines of a function, its docstring not counted: a long explanation is no long function."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def test_files_are_short() -> None:
    """A file that needs more lines has more than one job."""
    files = list(sources(*PACKAGES, "tools", "tests", "deploy"))

    long = [short(path) for path in files if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE]

    assert [] == long


def test_functions_are_short() -> None:
    """None over the bound, and half of them far below it."""
    found = {f"{short(path)}:{node.name}": length(node) for path in sources(*PACKAGES) for node in functions(path)}

    assert {} == {name: lines for name, lines in found.items() if lines > LONGEST_FUNCTION}
    assert statistics.median(found.values()) <= MEDIAN_FUNCTION


def test_no_any_in_public_signatures_of_the_core() -> None:
    """Ids and money have types of their own."""
    guilty = [
        f"{short(path)}:{node.name}"
        for path in sources("models", "rules")
        for node in functions(path)
        if not node.name.startswith("_")
        for part in [
            *(argument.annotation for argument in ast.walk(node.args) if isinstance(argument, ast.arg)),
            node.returns,
        ]
        if part is not None and re.search(r"\bAny\b", ast.unparse(part))
    ]

    assert [] == guilty


def test_ignored_types_are_few_and_explained() -> None:
    """Each ignore has a code and, after it, a reason."""
    lines = [
        f"{short(path)}: {line.strip()}"
        for path in sources(*PACKAGES)
        for line in path.read_text(encoding="utf-8").splitlines()
        if "type: ignore" in line
    ]

    assert [] == [line for line in lines if not re.search(r"type: ignore\[[a-z-, ]+\]  *# \S+", line)]
    assert len(lines) < MOST_IGNORES


def test_the_core_imports_without_the_world() -> None:
    """Models and rules need neither Faust nor any client: they import where these are forbidden."""
    modules = [short(path)[:-3].replace("/", ".").removesuffix(".__init__") for path in sources("models", "rules")]
    code = (
        "import sys, importlib\n"
        "for name in ('faust', 'mode', 'aiokafka', 'kafka', 'redis', 'prometheus_client', 'structlog', 'fastapi'):\n"
        "    sys.modules[name] = None\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


IMPORT_EVERYTHING = """
import importlib, pkgutil, socket, threading

def refuse(*_, **__):
    raise AssertionError("a socket at import")

socket.socket.connect = socket.socket.bind = refuse
import streams
names = [found.name for found in pkgutil.walk_packages(streams.__path__, "streams.")]
modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]

import faust, prometheus_client, pydantic_settings, redis.asyncio
kinds = (
    faust.App, prometheus_client.CollectorRegistry, prometheus_client.metrics.MetricWrapperBase,
    pydantic_settings.BaseSettings, redis.Redis, redis.asyncio.Redis,
)
made = [
    (module.__name__, name) for module in modules for name, value in vars(module).items() if isinstance(value, kinds)
]
assert made == [], made
assert threading.active_count() == 1, threading.enumerate()
assert not [name for name in prometheus_client.REGISTRY._names_to_collectors if "subsidywatch" in name]
"""


def test_importing_makes_nothing_and_touches_no_network() -> None:
    """No client, settings object, metric, socket or thread comes into being by importing every module there is."""
    argv = [sys.executable, "-W", "ignore", "-c", IMPORT_EVERYTHING]

    done = subprocess.run(argv, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.parametrize("path", sorted((ROOT / "streams/store").glob("*.lua")), ids=lambda path: path.name)
def test_lua_scripts_keep_the_form(path: Path) -> None:
    """Four header lines say keys, arguments and reply; time is an argument, keys are named."""
    text = path.read_text(encoding="utf-8")
    heads = [re.split(r"\W+", line.removeprefix("-- "))[0] for line in text.splitlines()[:4]]

    assert [path.stem, "KEYS", "ARGV", "reply"] == heads
    assert re.search(r"'(TIME|KEYS|SCAN)'|HINCRBYFLOAT|math\.random", text) is None


def test_tests_do_not_sleep_or_patch() -> None:
    """Tests wait for conditions, use fakes that keep a contract, and never run again until green."""
    guilty = [
        f"{short(path)}: {pattern}"
        for path in sources("tests")
        if path != Path(__file__) and path.parent.name != "bench"
        for pattern in FORBIDDEN_IN_TESTS
        if re.search(pattern, path.read_text(encoding="utf-8"))
    ]

    assert [] == guilty


@pytest.mark.parametrize("folder", ["integration", "browser", "e2e"])
def test_slow_folders_are_marked(folder: str) -> None:
    """A test that needs services never slips into the fast suite."""
    marks = rf"^pytestmark = .*pytest\.mark\.{folder}\b"
    files = sorted((ROOT / "tests" / folder).glob("test_*.py"))

    assert files
    assert [] == [path.name for path in files if not re.search(marks, path.read_text(encoding="utf-8"), re.MULTILINE)]


def test_tests_are_no_package_and_shadow_none() -> None:
    """An `__init__.py` or a folder named like a package would hide what is under test."""
    folders = {path.name for path in (ROOT / "tests").rglob("*") if path.is_dir()}
    names = [path.name for path in sources("tests") if path.name.startswith("test_")]

    assert [] == [short(path) for path in sources("tests") if path.name == "__init__.py"]
    assert set() == folders & set(PACKAGES)
    assert len(names) == len(set(names))


def test_every_test_says_what_it_claims() -> None:
    """A sentence in the docstring, ending in a full stop."""
    silent = [
        f"{short(path)}:{node.name}"
        for path in sources("tests")
        for node in functions(path)
        if node.name.startswith("test_") and not (ast.get_docstring(node) or "").rstrip().endswith(".")
    ]

    assert [] == silent


def test_errors_are_in_the_drawn_tree() -> None:
    """The drawing names every error of the packages with one fate, all are leaves of one base, and nothing else is."""
    drawn = dict(re.findall(r"^  x (\w+) +(\S.*)$", models.errors.__doc__ or "", re.MULTILINE))
    bases = {
        node.name: [ast.unparse(base) for base in node.bases]
        for path in sources(*PACKAGES)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    builtin = {name for name in dir(builtins) if isinstance(getattr(builtins, name), type)}
    raised = {name for name in builtin if issubclass(getattr(builtins, name), BaseException)}
    errors = {name: found for name, found in bases.items() if {"MonitorError", *drawn, *raised} & set(found)}

    assert ["Exception"] == errors.pop("MonitorError")
    assert {name: ["MonitorError"] for name in drawn} == errors
    assert [] == [name for name, fate in drawn.items() if ": " not in fate]


def test_every_error_has_a_test_of_its_fate() -> None:
    """Each is named by a test besides the one of the tree itself."""
    drawn = re.findall(r"^  x (\w+)", models.errors.__doc__ or "", re.MULTILINE)
    others = [path.read_text(encoding="utf-8") for path in sources("tests") if path.name != "test_errors.py"]

    assert [] == [name for name in drawn if not any(re.search(rf"\b{name}\b", text) for text in others)]


def test_no_module_takes_a_library_name() -> None:
    """A file named like a library shadows it sooner or later."""
    stems = {path.stem for path in sources(*PACKAGES)} - {"__init__", "__main__"}
    libraries = {"redis", "kafka", "faust", "aiokafka", "pydantic", "msgspec", "typer", "click", "rich", "structlog"}

    assert set() == stems & (libraries | set(sys.stdlib_module_names))
