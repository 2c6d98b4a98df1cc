"""What a mapping file may say: the TOML schema, checked before any row is read.

```toml
[file]
format = "csv"                      # or "ndjson"

[lookups.regions]                   # a table of its own, or { file, key, value }
"216" = "440000"

[[event]]
type = "click"                      # or { column = "kind", values = { c = "click" } }
[event.fields]
at = { column = "ts", time = "%Y%m%d%H%M%S%f", zone = "Asia/Shanghai" }
spend_micros = { column = "price", unit = "0.00001" }
region = { column = "region_id", lookup = "regions", otherwise = "unknown" }
```
"""

import codecs
import tomllib
from decimal import Decimal, InvalidOperation
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from models.errors import InputFileError
from models.events import CONTRACTS, Kind

TYPES: Final[dict[str, Kind]] = {
    "impression": Kind.IMPRESSIONS,
    "click": Kind.CLICKS,
    "order": Kind.ORDERS,
    "announcement": Kind.ANNOUNCEMENTS,
    "stock": Kind.STOCK,
    "campaign": Kind.CAMPAIGNS,
}
"""Event types as a mapping names them."""

Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeSpec(_Part):
    """How a text is a time.

    Attributes:
        time: `epoch_s`, `epoch_ms`, `iso`, or a strptime format; `%f` reads milliseconds as well as microseconds.
        zone: IANA zone of a time without an offset; needed unless the time carries its own.
    """

    time: Text = "iso"
    zone: str | None = None

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        try:
            if name is not None:
                ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is not a time zone of the IANA database") from error
        return name

    @model_validator(mode="after")
    def _format_needs_zone(self) -> "TimeSpec":
        if "%" in self.time and "%z" not in self.time and self.zone is None:
            raise ValueError(f"the time format {self.time!r} has no offset: name a zone")
        if "%" not in self.time and self.time not in ("iso", "epoch_s", "epoch_ms"):
            raise ValueError(f"time is epoch_s, epoch_ms, iso or a strptime format, not {self.time!r}")
        return self


class FieldSpec(TimeSpec):
    """Where a field's value comes from and what it is turned into.

    Attributes:
        column, constant, template: exactly one of them; a template names columns in braces.
        values: translation of the text; text that is not in it stays.
        lookup: name of a lookup table; text that is not in it takes `otherwise`, or stays.
        otherwise: value where the text is empty, not in the lookup, or not a known region.
        unit: for money: how many currency units one of the column's units is, as text ("0.01" for cents).
    """

    column: Text | None = None
    constant: str | int | bool | None = None
    template: Text | None = None
    values: dict[str, str] = {}
    lookup: str | None = None
    otherwise: str | int | bool | None = None
    unit: str = "1"

    @field_validator("unit")
    @classmethod
    def _exact_unit(cls, text: str) -> str:
        try:
            unit = Decimal(text)
        except InvalidOperation:
            unit = Decimal(0)
        if not unit.is_finite() or unit <= 0:
            raise ValueError(f"unit is a decimal number above 0 in quotes, not {text!r}")
        return text

    @model_validator(mode="after")
    def _one_source(self) -> "FieldSpec":
        if sum(source is not None for source in (self.column, self.constant, self.template)) != 1:
            raise ValueError("give exactly one of column, constant and template")
        return self


class TypeColumn(_Part):
    """An event type by a column's value; rows with a value that is not in `values` give no event."""

    column: Text
    values: dict[str, str]


class Condition(_Part):
    """A row counts when this holds: the text is in or not in a list, empty or not, above zero or not."""

    column: Text
    one_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None
    empty: bool | None = None
    positive: bool | None = None


class EventSpec(_Part):
    """One event that a row gives, if all of `when` hold."""

    type: str | TypeColumn
    when: tuple[Condition, ...] = ()
    fields: dict[str, FieldSpec]

    @model_validator(mode="after")
    def _known_names(self) -> "EventSpec":
        names = [self.type] if isinstance(self.type, str) else list(self.type.values.values())
        for name in names:
            if name not in TYPES:
                raise ValueError(f"{name!r} is not an event type; take one of {', '.join(TYPES)}")
            known = set(CONTRACTS[TYPES[name]].model_fields)
            if unknown := sorted(set(self.fields) - known):
                raise ValueError(f"{unknown[0]!r} is not a field of {name}; it has {', '.join(sorted(known))}")
        return self


class LookupFile(_Part):
    """Two columns of a CSV file, beside the mapping file."""

    file: Text
    key: Text
    value: Text


class Arrival(TimeSpec):
    """The column that tells when a row arrived."""

    column: Text


class FileSpec(_Part):
    """How rows are read."""

    format: Literal["csv", "ndjson"] = "csv"
    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    arrival: Arrival | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            return codecs.lookup(name).name
        except LookupError:
            raise ValueError(f"{name!r} is not an encoding") from None


class MappingFile(_Part):
    """A whole mapping; `lookups` are inline tables or two-column files."""

    file: FileSpec = FileSpec()
    lookups: dict[str, Annotated[LookupFile | dict[str, str], Field(union_mode="left_to_right")]] = {}
    event: Annotated[tuple[EventSpec, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _lookups_exist(self) -> "MappingFile":
        for event in self.event:
            for name, spec in event.fields.items():
                if spec.lookup is not None and spec.lookup not in self.lookups:
                    raise ValueError(f"field {name} uses the lookup {spec.lookup!r}, which is not there")
        return self


def read_mapping(path: Path) -> MappingFile:
    """Read a mapping: a file, or the name of one that ships with the program.

    Raises:
        InputFileError: one sentence that names the place.
    """
    text = _text_of(path)
    try:
        return MappingFile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InputFileError(f"the mapping {path} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputFileError(
            f"the mapping {path} is wrong at {place or 'the top'}: {first['msg'].removeprefix('Value error, ')}"
        ) from None


def shipped() -> list[str]:
    """Give the names of the mappings that ship with the program."""
    folder = resources.files("streams").joinpath("mappings")
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def _text_of(path: Path) -> str:
    try:
        if path.exists() or path.parent != Path():
            return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputFileError(f"cannot read the mapping {path}: {error}") from None
    name = path.name.removesuffix(".toml")
    if name not in shipped():
        raise InputFileError(f"there is no mapping file {path}; ready ones are {', '.join(shipped())}")
    return resources.files("streams").joinpath("mappings", f"{name}.toml").read_text(encoding="utf-8")
