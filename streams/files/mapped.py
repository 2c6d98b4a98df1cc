"""Rows to events, as a mapping file says."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Final, NamedTuple

from models.errors import InputFileError
from models.events import TOPICS
from models.units import EpochMs
from streams.files.cells import Value, converter, time_converter
from streams.files.mapping_file import TYPES, Condition, EventSpec, FieldSpec, LookupFile, MappingFile
from streams.files.opened import OpenFile, Row, csv_rows, ndjson_rows

_BRACES: Final = re.compile(r"\{([^{}]+)\}")
Cells = Sequence[str]


class Mapped(NamedTuple):
    """An event of a row; `body` is None for a row that is broken.

    Attributes:
        arrival: the row's arrival clock; None when the file has none or it cannot be read.
    """

    row: Row
    arrival: EpochMs | None
    topic: str
    body: dict[str, Value] | None


class _Event(NamedTuple):
    topic: Callable[[Cells], str | None]
    fields: tuple[tuple[str, Callable[[Cells], Value]], ...]


class Mapper:
    """Compiled from a mapping file once; then a plain function from rows to events."""

    def __init__(self, mapping: MappingFile, folder: Path) -> None:
        """Compile; `folder` is where lookup files are named from.

        Raises:
            InputFileError: a lookup file is missing or wrong.
        """
        self._file = mapping.file
        self.columns = _columns_of(mapping)
        places = {column: i for i, column in enumerate(self.columns)}
        lookups = {name: _lookup(spec, folder) for name, spec in mapping.lookups.items()}
        self._events = [_compile(event, places, lookups) for event in mapping.event]
        self._broken_topic = _first_topic(mapping.event[0])
        arrival = mapping.file.arrival
        self._arrival = None if arrival is None else (places[arrival.column], time_converter(arrival))

    def read(self, opened: OpenFile) -> Iterator[Mapped]:
        """Give the events of a file in its order.

        Raises:
            InputFileError: a column is missing (before the first event), or the file cannot be read.
        """
        spec = self._file
        if spec.format == "csv":
            rows = csv_rows(opened, spec.encoding, spec.delimiter, spec.quote or None, self.columns)
        else:
            rows = ndjson_rows(opened, spec.encoding, self.columns)
        for row in rows:
            if row.cells is None:
                yield Mapped(row, None, self._broken_topic, None)
            else:
                yield from self._events_of(row, row.cells)

    def _events_of(self, row: Row, cells: Cells) -> Iterator[Mapped]:
        arrival: Value = None
        if self._arrival is not None:
            arrival = self._arrival[1](cells[self._arrival[0]])
        clock = EpochMs(arrival) if isinstance(arrival, int) else None
        for event in self._events:
            topic = event.topic(cells)
            if topic is not None:
                yield Mapped(row, clock, topic, {name: value(cells) for name, value in event.fields})


def _compile(event: EventSpec, places: Mapping[str, int], lookups: Mapping[str, Mapping[str, str]]) -> _Event:
    tests = [_test(condition, places[condition.column]) for condition in event.when]
    of_row = _topic_of(event, places)

    def topic(cells: Cells) -> str | None:
        return of_row(cells) if all(test(cells) for test in tests) else None

    fields = tuple((name, _value(name, spec, places, lookups)) for name, spec in event.fields.items())
    return _Event(topic, fields)


def _topic_of(event: EventSpec, places: Mapping[str, int]) -> Callable[[Cells], str | None]:
    kind = event.type
    if isinstance(kind, str):
        fixed = TOPICS[TYPES[kind]]
        return lambda cells: fixed
    place, topics = places[kind.column], {text: TOPICS[TYPES[name]] for text, name in kind.values.items()}
    return lambda cells: topics.get(cells[place])


def _first_topic(event: EventSpec) -> str:
    name = event.type if isinstance(event.type, str) else next(iter(event.type.values.values()))
    return TOPICS[TYPES[name]]


def _value(
    name: str, spec: FieldSpec, places: Mapping[str, int], lookups: Mapping[str, Mapping[str, str]]
) -> Callable[[Cells], Value]:
    if spec.constant is not None:
        constant = spec.constant
        return lambda cells: constant
    convert = converter(name, spec, lookups)
    if spec.column is not None:
        place = places[spec.column]
        return lambda cells: convert(cells[place])
    parts = _BRACES.split(spec.template or "")
    pieces = [(part, None) if i % 2 == 0 else ("", places[part]) for i, part in enumerate(parts)]
    return lambda cells: convert("".join(text if place is None else cells[place] for text, place in pieces))


def _test(condition: Condition, place: int) -> Callable[[Cells], bool]:
    def holds(cells: Cells) -> bool:
        text = cells[place]
        return (
            (condition.one_of is None or text in condition.one_of)
            and (condition.none_of is None or text not in condition.none_of)
            and (condition.empty is None or condition.empty == (not text.strip()))
            and (condition.positive is None or condition.positive == _is_positive(text))
        )

    return holds


def _is_positive(text: str) -> bool:
    """Tell whether a text may be an amount above zero; what is no number is let through to be refused as one."""
    try:
        return Decimal(text.strip() or "0") > 0
    except InvalidOperation:
        return True


def _columns_of(mapping: MappingFile) -> tuple[str, ...]:
    names: dict[str, None] = {}
    if mapping.file.arrival is not None:
        names[mapping.file.arrival.column] = None
    for event in mapping.event:
        if not isinstance(event.type, str):
            names[event.type.column] = None
        names.update((condition.column, None) for condition in event.when)
        for spec in event.fields.values():
            if spec.column is not None:
                names[spec.column] = None
            names.update((part, None) for part in _BRACES.findall(spec.template or ""))
    return tuple(names)


def _lookup(spec: LookupFile | dict[str, str], folder: Path) -> dict[str, str]:
    if isinstance(spec, dict):
        return spec
    path = folder / spec.file
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            for column in (spec.key, spec.value):
                if column not in (reader.fieldnames or ()):
                    raise InputFileError(f"the lookup file {path} does not have the column {column!r}")
            return {row[spec.key].strip(): (row[spec.value] or "").strip() for row in reader}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputFileError(f"cannot read the lookup file {path}: {error}") from None
