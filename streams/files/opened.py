"""Rows of a recorded file: CSV with any delimiter and encoding, or NDJSON, plain or gzip.

A row keeps the line it came from, so that a refused record can be found again.
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, Literal, NamedTuple, cast

from models.errors import InputFileError

_GZIP_MAGIC: Final = b"\x1f\x8b"
_PROBE_LINES: Final = 1_000
_ABSENT: Final = object()
_CUT_SHORT: Final = (OSError, EOFError, zlib.error)


class Row(NamedTuple):
    """One row of a file.

    Attributes:
        line: number of its first line, from 1.
        text: the line or lines as they stand in the file, without the line end.
        cells: text per column in the order of `columns`, "" where empty; None when the row is broken.
    """

    line: int
    text: str
    cells: list[str] | None


class OpenFile:
    """A file opened for reading once, gzip seen through; `bytes_read` counts what left the disk.

    Raises:
        InputFileError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        """Open and look at the first bytes."""
        self.path = path
        try:
            self._raw = path.open("rb", buffering=1 << 18)
            self.size = path.stat().st_size
            zipped = self._raw.read(2) == _GZIP_MAGIC
            self._raw.seek(0)
        except OSError as error:
            raise InputFileError(f"cannot read {path}: {error.strerror}") from None
        self._stream: IO[bytes] = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw)) if zipped else self._raw

    def bytes_read(self) -> int:
        """Give how far into the file on disk reading has come."""
        return self.size if self._raw.closed else self._raw.tell()

    def close(self) -> None:
        """Close the file; closing twice does no harm."""
        self._stream.close()
        self._raw.close()

    def lines(self) -> Iterator[bytes]:
        """Give the lines as bytes, without their ends; a byte-order mark of UTF-8 is dropped.

        Raises:
            InputFileError: the file is cut short or is not what it seems.
        """
        mark = codecs.BOM_UTF8
        try:
            for line in self._stream:
                yield line.rstrip(b"\r\n").removeprefix(mark)
                mark = b""
        except _CUT_SHORT as error:
            raise InputFileError(f"cannot read {self.path} to its end: {error}") from None
        finally:
            self.close()

    def text_lines(self, encoding: str) -> Iterator[str]:
        """Give the lines as text with their ends; a byte-order mark of UTF-8 is dropped.

        Raises:
            InputFileError: a byte does not fit the encoding.
        """
        text = io.TextIOWrapper(self._stream, "utf-8-sig" if encoding == "utf-8" else encoding, newline="")
        try:
            yield from text
        except UnicodeError as error:
            why = getattr(error, "reason", error)
            raise InputFileError(f"{self.path} is not {encoding}: {why}; name its encoding in the mapping") from None
        except _CUT_SHORT as error:
            raise InputFileError(f"cannot read {self.path} to its end: {error}") from None
        finally:
            text.close()
            self.close()


class _Remembered:
    """Hands lines on and remembers those since the last `take`."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._seen: list[str] = []
        self.first = 1
        self._next = 1

    def __iter__(self) -> "_Remembered":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._seen.append(line)
        self._next += 1
        return line

    def take(self) -> tuple[int, str]:
        """Give number and text of the row just read, and start over."""
        line, text = self.first, "".join(self._seen).rstrip("\r\n")
        self._seen.clear()
        self.first = self._next
        return line, text


def csv_rows(
    opened: OpenFile, encoding: str, delimiter: str, quote: str | None, columns: tuple[str, ...]
) -> Iterator[Row]:
    """Give the rows of a CSV file with a header line, reduced to `columns`.

    A column may be named with or without the blanks around it in the header. Without a `quote` character,
    quotes are text.

    Raises:
        InputFileError: a column is missing (before the first row), or the file cannot be read.
    """
    source = _Remembered(opened.text_lines(encoding))
    quoting: Literal[0, 3] = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
    reader = csv.reader(source, delimiter=delimiter, quotechar=quote, quoting=quoting, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise InputFileError(f"{opened.path} does not begin with a line of column names: {error}") from None
    source.take()
    if header is None:
        raise InputFileError(f"{opened.path} is empty: a header line with the column names is needed")
    picks = [_position(opened.path, header, column) for column in columns]
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Row(*source.take(), None)
            continue
        line, text = source.take()
        if cells:
            yield Row(line, text, [cells[i] for i in picks] if len(cells) == len(header) else None)


def _position(path: Path, header: list[str], column: str) -> int:
    names = header if column in header else [name.strip() for name in header]
    wanted = column if column in header else column.strip()
    if names.count(wanted) == 1:
        return names.index(wanted)
    what = "has twice" if wanted in names else "does not have"
    raise InputFileError(f"{path} {what} the column {column!r} that the mapping names; it has {', '.join(header)}")


def ndjson_rows(opened: OpenFile, encoding: str, columns: tuple[str, ...]) -> Iterator[Row]:
    """Give the objects of an NDJSON file, reduced to `columns`; a dot in a column goes one level down.

    A column must occur in one of the first 1,000 objects; an object without it has an empty cell.

    Raises:
        InputFileError: a column occurs nowhere there (before the first row), or the file cannot be read.
    """
    rows = _objects(opened, encoding)
    first: list[tuple[int, str, dict[str, object] | None]] = []
    missing = set(columns)
    for row in rows:
        first.append(row)
        missing -= {column for column in missing if row[2] is not None and _dig(row[2], column) is not _ABSENT}
        if not missing or len(first) == _PROBE_LINES:
            break
    if missing:
        name = min(missing)
        raise InputFileError(f"{opened.path} does not have the column {name!r} that the mapping names")
    for source in (first, rows):
        for line, text, tree in source:
            yield Row(line, text, None if tree is None else [_cell(_dig(tree, column)) for column in columns])


def _objects(opened: OpenFile, encoding: str) -> Iterator[tuple[int, str, dict[str, object] | None]]:
    for number, raw in enumerate(opened.text_lines(encoding), 1):
        text = raw.rstrip("\r\n")
        if not text.strip():
            continue
        try:
            tree = json.loads(text, parse_float=str)  # text keeps money exact
        except (ValueError, RecursionError):
            tree = None
        yield number, text, tree if isinstance(tree, dict) else None


def _dig(tree: dict[str, object], column: str) -> object:
    if column in tree:
        return tree[column]
    node: object = tree
    for part in column.split("."):
        node = node.get(part, _ABSENT) if isinstance(node, dict) else _ABSENT
    return node


def _cell(value: object) -> str:
    if value is None or value is _ABSENT:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
