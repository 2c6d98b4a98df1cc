"""The wheel stands alone: three generic names with one owner each, and everything that must travel is inside.

It is built once and installed into an environment that has the locked dependencies but neither the checkout nor
the editable install.
"""

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

OURS = ("subsidywatch", "_editable_impl_subsidywatch", "__editable__")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def wheel(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our wheel, built from a copy of the checkout's packages."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for package in ("streams", "models", "rules"):
        shutil.copytree(project_root / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(project_root / name, copy)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out], cwd=copy, check=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def run(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of an environment that has the wheel and its dependencies, in a folder with nothing else."""
    home, empty = tmp_path_factory.mktemp("environment"), tmp_path_factory.mktemp("elsewhere")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin/python"
    quiet = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "--python", str(python)]
    subprocess.run([*quiet, "install", "--no-index", "--no-deps", str(wheel)], check=True)
    dependencies = home / "dependencies"
    dependencies.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(OURS) and entry.suffix != ".pth":
            (dependencies / entry.name).symlink_to(entry)
    site = next(home.glob("lib/python*/site-packages"))
    (site / "dependencies.pth").write_text(f"{dependencies}\n")

    def run(program: str, *arguments: str, cwd: Path = empty) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": "/usr/bin:/bin", "PYTHONSAFEPATH": "1", "HOME": str(empty)}
        return subprocess.run(
            [str(home / "bin" / program), *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.mark.parametrize("package", ["streams", "models", "rules"])
def test_each_name_has_one_owner(run: Run, package: str) -> None:
    """A second distribution with one of our generic names would overwrite files: there must be none."""
    code = "import importlib.metadata as m, json; print(json.dumps(m.packages_distributions()))"

    owners = json.loads(run("python", "-c", code).stdout)

    assert ["subsidywatch"] == sorted(set(owners[package]))


def test_nothing_else_is_inside(wheel: Path) -> None:
    """Tests, tools and deployment files stay out."""
    tops = {name.split("/")[0] for name in ZipFile(wheel).namelist()}

    assert {"streams", "models", "rules", "subsidywatch-0.1.0.dist-info"} == tops


def test_files_that_are_not_code_travel(wheel: Path, project_root: Path) -> None:
    """Scripts of the store, page assets, mappings and type markers are in the wheel, all of them."""
    kinds = (".lua", ".html", ".css", ".js", ".svg", ".toml", ".json", ".yaml", ".typed")
    expected = {
        str(path.relative_to(project_root))
        for package in ("streams", "models", "rules")
        for path in (project_root / package).rglob("*")
        if path.suffix in kinds or path.name == "py.typed"
    }
    inside = set(ZipFile(wheel).namelist())

    assert set() == expected - inside
    assert {f"{package}/py.typed" for package in ("streams", "models", "rules")} <= inside
    assert any(name.endswith(".lua") for name in inside)
    assert any(name.endswith(".html") for name in inside)


def test_console_script_runs(run: Run) -> None:
    """The installed command answers without the checkout."""
    done = run("subsidywatch", "version")

    assert (0, "") == (done.returncode, done.stderr)
    assert "0.1.0" in done.stdout


def test_modules_come_from_the_wheel(run: Run, project_root: Path) -> None:
    """No import leads back to the checkout."""
    code = "import streams, models, rules; print(streams.__file__, models.__file__, rules.__file__)"

    paths = run("python", "-c", code).stdout.split()

    assert 3 == len(paths)
    assert [] == [path for path in paths if path.startswith(str(project_root))]


@pytest.mark.e2e
def test_units_and_laws_pass_against_the_wheel_without_faust(run: Run, project_root: Path, tmp_path: Path) -> None:
    """What these tests claim holds for what is shipped, with the source gone and Faust as good as not installed."""
    for folder in ("tests/unit", "tests/property", "tools", "contracts", "examples", "deploy", "docs"):
        shutil.copytree(project_root / folder, tmp_path / folder)
    (tmp_path / "tools/without_faust.py").write_text(
        "import os\nimport sys\n\nsys.modules['faust'] = sys.modules['mode'] = None\nos.environ['LAWS'] = 'glance'\n"
    )
    shutil.copy(project_root / "tests/conftest.py", tmp_path / "tests")
    for name in ("pyproject.toml", "README.md", ".env.example"):
        shutil.copy(project_root / name, tmp_path)

    options = ("-q", "-p", "no:cacheprovider", "-p", "without_faust")
    done = run("python", "-m", "pytest", *options, "tests/unit", "tests/property", cwd=tmp_path)

    assert 0 == done.returncode, done.stdout[-3_000:] + done.stderr[-1_000:]
