"""Writes what the docs say of the code: `.env.example`, and the tables of the README between their markers.

`make contracts` runs it; a test finds the committed files as this writes them.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import exposed
from models.kpis import KPIS
from streams.settings import names

ROOT: Final = Path(__file__).resolve().parents[1]


def default(field: FieldInfo) -> str:
    """A setting's default as its variable would spell it; empty when there is none."""
    value = field.get_default(call_default_factory=True)
    return "" if value is None or value is PydanticUndefined else str(value)


def bounds(field: FieldInfo) -> str:
    """What values are accepted, in a few characters; empty when any."""
    choices = [str(choice) for choice in get_args(field.annotation) if isinstance(choice, str)]
    signs = {"ge": "≥ ", "gt": "> ", "le": "≤ ", "lt": "< "}
    found = [
        signs[name] + format(getattr(rule, name), ",")
        for rule in field.metadata
        for name in signs
        if hasattr(rule, name)
    ]
    return ", ".join(choices or found)


def environment() -> str:
    """`.env.example`: every variable with its default, commented out."""
    lines = ["# Every setting with its default. Unknown names with this prefix are an error.", ""]
    for name, field in names():
        lines.append(f"# {field.description}")
        secret = SecretStr in (field.annotation, *get_args(field.annotation))
        lines += [f"# {name}={'' if secret else default(field)}", ""]
    return "\n".join(lines)


def settings_table() -> Iterator[str]:
    """Rows of the settings."""
    yield "| variable | default | accepts | what |"
    yield "| --- | --- | --- | --- |"
    for name, field in names():
        usual = default(field)
        yield f"| `{name}` | {f'`{usual}`' if usual else ''} | {bounds(field)} | {field.description} |"


def kpi_table() -> Iterator[str]:
    """Rows of the KPIs."""
    yield "| KPI | unit | what |"
    yield "| --- | --- | --- |"
    for kpi in KPIS:
        yield f"| `{kpi.name}` | {kpi.unit} | {kpi.help} |"


def metric_table() -> Iterator[str]:
    """Rows of the metrics of both processes."""
    yield "| metric | type | what |"
    yield "| --- | --- | --- |"
    for metric in [*exposed.worker(), *exposed.serve()]:
        yield f"| `{metric.name}` | {metric.kind} | {metric.text} |"


TABLES: Final = {"settings": settings_table, "kpis": kpi_table, "metrics": metric_table}


def readme(text: str) -> str:
    """The README with its generated tables as they are now."""
    for name, rows in TABLES.items():
        body = f"<!-- {name} -->\n\n" + "\n".join(rows()).replace("\\", "\\\\") + f"\n\n<!-- /{name} -->"
        text, found = re.subn(f"<!-- {name} -->.*?<!-- /{name} -->", body, text, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"README.md has no markers for the table {name!r}")
    return text


def main(folder: Path) -> None:
    """Write both files below `folder`."""
    (folder / ".env.example").write_text(environment(), encoding="utf-8")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (folder / "README.md").write_text(readme(text), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
