"""The settings as people may see them: value, where it comes from, secrets hidden."""

import os
import tomllib
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel, SecretStr

from streams.settings import PREFIX, load, names

HIDDEN: Final = "********"


class SettingRow(NamedTuple):
    """One setting: its variable, its value as text, and `environment`, the file's name or `default`."""

    name: str
    value: str
    source: str


def rows(config: Path | None) -> list[SettingRow]:
    """Give every setting in declaration order.

    Raises:
        SettingsError: they cannot be used.
    """
    settings = load(config)
    given = {name.upper() for name in os.environ}
    filed = tomllib.loads(config.read_text(encoding="utf-8")) if config else {}
    out = []
    for name, _ in names():
        path = name.removeprefix(PREFIX).lower().split("__")
        source = "environment" if name in given else str(config) if _holds(filed, path) else "default"
        out.append(SettingRow(name, _shown(_value(settings, path)), source))
    return out


def _value(node: object, path: list[str]) -> object:
    for part in path:
        node = getattr(node, part)
    return node


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return "" if value is None else _without_password(str(value))


def _without_password(text: str) -> str:
    """Hide a password inside an address."""
    scheme, found, rest = text.partition("://")
    if not found or "@" not in rest:
        return text
    user, _, place = rest.rpartition("@")
    name = user.partition(":")[0]
    return f"{scheme}://{name}:{HIDDEN}@{place}"


def _holds(tree: object, path: list[str]) -> bool:
    for part in path:
        if not isinstance(tree, dict) or part not in tree:
            return False
        tree = tree[part]
    return True
