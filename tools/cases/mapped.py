"""A log file with its mapping file, read."""

import json
from pathlib import Path

from models.units import EpochMs
from streams.files.recorded import Recorded, Recording

NOW = EpochMs(1_800_000_000_000)
CLICKS = """
[file]
format = "csv"
delimiter = "|"
encoding = "gb18030"

[lookups.places]
"9" = "440000"

[[event]]
type = { column = "kind", values = { c = "click", i = "impression" } }
when = [{ column = "test", none_of = ["yes"] }]
[event.fields]
event_id = { template = "{id}-{kind}" }
at = { column = "ts", time = "%Y-%m-%d %H:%M:%S", zone = "Asia/Shanghai" }
region = { column = "place", lookup = "places", otherwise = "unknown" }
campaign_id = { constant = "k1" }
user_id = { column = "user", values = { "-" = "nobody" } }
spend_micros = { column = "fen", unit = "0.01" }
"""


def records(folder: Path, mapping: str, content: bytes, name: str = "log.csv") -> list[Recorded]:
    """Give the records of one file under one mapping."""
    (folder / "map.toml").write_text(mapping, encoding="utf-8")
    (folder / name).write_bytes(content)
    return list(Recording([folder / name], folder / "map.toml", NOW))


def bodies(found: list[Recorded]) -> list[dict[str, object]]:
    """Give the payloads."""
    return [json.loads(record.value) for record in found]
