"""The example that people copy is the one that the demo runs."""

import ast
from pathlib import Path


def test_example_and_module_are_the_same_program(project_root: Path) -> None:
    """They differ in their docstrings only."""
    example, module = (
        ast.parse((project_root / path).read_text()).body[1:]
        for path in ("examples/adjuster.py", "streams/adjuster/__main__.py")
    )

    assert [ast.dump(node) for node in example] == [ast.dump(node) for node in module]


def test_example_is_short(project_root: Path) -> None:
    """About twenty lines are a whole adjuster."""
    assert 20 >= len((project_root / "examples/adjuster.py").read_text().splitlines())
