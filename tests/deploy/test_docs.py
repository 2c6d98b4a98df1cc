"""The docs say what the code does: generated parts are current, links lead somewhere, commands and targets exist."""

import importlib.util
import re
from pathlib import Path

import pytest

from streams.cli import build

DOCS = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "deploy/runbook.md", "docs/performance.md")


def test_generated_parts_are_current(project_root: Path, tmp_path: Path) -> None:
    """`make contracts` changes neither the settings example nor the tables of the README."""
    spec = importlib.util.spec_from_file_location("write_docs", project_root / "tools/write_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    module.main(tmp_path)

    for name in (".env.example", "README.md"):
        assert (tmp_path / name).read_text() == (project_root / name).read_text()


@pytest.mark.parametrize("name", [*DOCS, "docs/decisions"])
def test_links_lead_somewhere(name: str, project_root: Path) -> None:
    """Every relative link names a file of the checkout."""
    path = project_root / name
    pages = sorted(path.glob("*.md")) if path.is_dir() else [path]

    broken = [
        (page.name, link)
        for page in pages
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]

    assert [] == broken


def test_readme_lists_the_commands(project_root: Path) -> None:
    """The table of commands is the command line's own list."""
    readme = (project_root / "README.md").read_text(encoding="utf-8")
    app = build()

    listed = re.findall(r"^\| `([a-z]+)` \|", readme.partition("## How it works")[0], re.MULTILINE)

    registered = [command.name for command in app.registered_commands] + [group.name for group in app.registered_groups]
    assert sorted(map(str, registered)) == sorted(listed)


def test_named_targets_exist(project_root: Path) -> None:
    """Every `make X` in the docs is a target."""
    targets = set(re.findall(r"^([a-z-]+):", (project_root / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for name in DOCS
        for target in re.findall(
            r"`?make ([a-z-]+)(?=[`\n ]*(?:ARGS|`|\n))", (project_root / name).read_text(encoding="utf-8")
        )
    }

    assert {"demo", "test"} <= named
    assert set() == named - targets


def test_every_target_explains_itself(project_root: Path) -> None:
    """`make help` lists what people call; the rest is named here."""
    inner = {"static", "machine", "packages"}
    lines = re.findall(r"^([a-z-]+):(?!=).*$", (project_root / "Makefile").read_text(), re.MULTILINE)
    explained = re.findall(r"^([a-z-]+):.*## ", (project_root / "Makefile").read_text(), re.MULTILINE)

    assert inner == set(lines) - set(explained)


def test_every_decision_is_listed_under_a_number_of_its_own(project_root: Path) -> None:
    """Records are found by number, and the index knows all of them."""
    folder = project_root / "docs/decisions"
    pages = sorted(page.name for page in folder.glob("0*.md"))

    listed = re.findall(r"\]\((0[^)]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))

    assert pages == sorted(listed)
    assert len(pages) == len({page[:4] for page in pages})


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_named_files_exist(name: str, project_root: Path) -> None:
    """A path in backticks with a folder and a known ending is there; `*` stands for any name."""
    text = (project_root / name).read_text(encoding="utf-8")
    named = re.findall(r"`((?:models|rules|streams|tests|deploy|docs|examples)/[\w./*-]+)`", text)

    assert [] == [path for path in named if not list(project_root.glob(path.rstrip("/")))]
