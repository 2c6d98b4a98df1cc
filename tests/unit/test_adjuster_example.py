"""The example that people copy is the one that the demo runs."""

import ast
from importlib.resources import files
from pathlib import Path

import streams.adjuster


def test_example_and_module_are_the_same_program(project_root: Path) -> None:
    """They differ in their docstrings only."""
    texts = (
        (project_root / "examples/adjuster.py").read_text(),
        files(streams.adjuster).joinpath("__main__.py").read_text(),
    )
    example, module = (ast.parse(text).body[1:] for text in texts)

    assert [ast.dump(node) for node in example] == [ast.dump(node) for node in module]


def test_example_is_short(project_root: Path) -> None:
    """About twenty lines are a whole adjuster."""
    assert 20 >= len((project_root / "examples/adjuster.py").read_text().splitlines())
