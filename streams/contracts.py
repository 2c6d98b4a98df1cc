"""Writes the contracts of all topics: a JSON Schema each, and one AsyncAPI document over them.

`python -m streams.contracts` regenerates the folder `contracts/`; `--check`
writes nothing and ends with 1 if a file differs from what the models say.
"""

import json
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel

from models import decisions
from models.events import CONTRACTS, TOPICS, Kind
from streams.topics import TOPICS as LAYOUT

FOLDER: Final = Path(__file__).resolve().parent.parent / "contracts"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

# What a YAML mapping can hold here; no lists but of mappings or scalars.
Node = str | int | bool | Mapping[str, "Node"] | list["Node"]


class Channel(NamedTuple):
    """One topic as the world sees it.

    Attributes:
        key: what its records are keyed by.
        sent: written by this program; otherwise read by it.
    """

    topic: str
    model: type[BaseModel]
    key: str
    sent: bool


_KEYS: Final[dict[Kind, str]] = {
    Kind.IMPRESSIONS: "user id, else campaign id",
    Kind.CLICKS: "user id, else campaign id",
    Kind.ORDERS: "user id, else campaign id",
    Kind.ANNOUNCEMENTS: "region",
    Kind.STOCK: "sku",
    Kind.CAMPAIGNS: "campaign id",
    Kind.RESULTS: "plan id",
}


def channels() -> tuple[Channel, ...]:
    """Give every topic with a contract, those that are read first."""
    read = tuple(Channel(TOPICS[kind], model, _KEYS[kind], sent=False) for kind, model in CONTRACTS.items())
    return (
        *read,
        Channel(decisions.TRANSITIONS_TOPIC, decisions.Transition, "category and region", sent=True),
        Channel(decisions.STATUS_TOPIC, decisions.Transition, "category and region", sent=True),
        Channel(decisions.SHIFTS_TOPIC, decisions.BudgetShift, "plan id", sent=True),
    )


def schema_of(channel: Channel) -> str:
    """Give the JSON Schema of a topic's records as text; what we send also promises every field."""
    schema = channel.model.model_json_schema(mode="serialization" if channel.sent else "validation")
    head = {"$schema": DIALECT, "$id": f"urn:subsidywatch:{channel.topic}"}
    return json.dumps({**head, **schema}, ensure_ascii=False, indent=2) + "\n"


def asyncapi() -> str:
    """Give the AsyncAPI 3 document as YAML; payloads are references to the schema files."""
    return "\n".join(_yaml(_document())) + "\n"


def files() -> dict[str, str]:
    """Give every generated file: name to text."""
    schemas = {_schema_name(channel): schema_of(channel) for channel in channels()}
    return {**schemas, "asyncapi.yaml": asyncapi()}


def _schema_name(channel: Channel) -> str:
    return f"{channel.topic}.schema.json"


def _document() -> dict[str, Node]:
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "subsidywatch",
            "version": version("subsidywatch"),
            "description": "Topics the program reads and writes. Money is integer micros, times are epoch ms in UTC.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {channel.topic: _channel(channel) for channel in channels()},
        "operations": {
            f"{'send' if channel.sent else 'receive'}-{channel.topic}": {
                "action": "send" if channel.sent else "receive",
                "channel": {"$ref": f"#/channels/{channel.topic}"},
            }
            for channel in channels()
        },
        "components": {"messages": {channel.topic: _message(channel) for channel in channels()}},
    }


def _channel(channel: Channel) -> Node:
    layout = {spec.name: spec for spec in LAYOUT}[channel.topic]
    topic: dict[str, Node] = {"cleanup.policy": [layout.cleanup]}
    if layout.retention_days is not None:
        topic["retention.ms"] = int(layout.configs()["retention.ms"])
    return {
        "address": channel.topic,
        "messages": {"record": {"$ref": f"#/components/messages/{channel.topic}"}},
        "bindings": {"kafka": {"topic": channel.topic, "topicConfiguration": topic, "bindingVersion": "0.5.0"}},
    }


def _message(channel: Channel) -> Node:
    return {
        "name": channel.model.__name__,
        "title": (channel.model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"$ref": f"./{_schema_name(channel)}"},
        },
        "bindings": {
            "kafka": {"key": {"type": "string", "description": channel.key}, "bindingVersion": "0.5.0"},
        },
    }


def _yaml(node: Mapping[str, Node], indent: int = 0) -> list[str]:
    """Give the lines of a block mapping; scalars and lists are written as JSON, which is YAML."""
    pad, lines = "  " * indent, []
    for key, value in node.items():
        name = key if re.fullmatch(r"[A-Za-z$][\w.-]*", key) else json.dumps(key)
        if isinstance(value, Mapping):
            lines += [f"{pad}{name}:", *_yaml(value, indent + 1)]
        else:
            lines.append(f"{pad}{name}: {json.dumps(value, ensure_ascii=False)}")
    return lines


def main(arguments: list[str], folder: Path = FOLDER) -> int:
    """Write the files, or compare them with `--check`; give the exit code."""
    stale = [name for name, text in files().items() if _read(folder / name) != text]
    if "--check" in arguments:
        for name in stale:
            sys.stderr.write(f"contracts/{name} is not what the models say; run python -m streams.contracts.\n")
        return 1 if stale else 0
    folder.mkdir(exist_ok=True)
    for name in stale:
        (folder / name).write_text(files()[name], encoding="utf-8")
    return 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
