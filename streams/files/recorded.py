"""Recorded files as one stream of records, in order of arrival.

Without an `arrival` column the arrival clock is file order: a record arrives at
the newest event time seen so far in its file. So the order within a file never
changes, and several files are merged by that clock. Event times past the wall
clock do not move it: a broker would call them future as well.
"""

from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

import msgspec

from models.errors import InputFileError
from models.events import KINDS
from models.units import EpochMs
from streams.files.mapped import Mapped, Mapper
from streams.files.mapping_file import read_mapping
from streams.files.opened import OpenFile

ENDINGS: Final = (".ndjson", ".ndjson.gz")

_KEY_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "ads.campaigns.v1": ("campaign_id",),
    "subsidy.announcements.v1": ("region",),
    "shop.stock.v1": ("sku",),
    "budget.shift-results.v1": ("plan_id",),
}
_EVENT_KEYS: Final = ("user_id", "campaign_id", "order_id")


class Recorded(NamedTuple):
    """One record of a file.

    Attributes:
        arrival: arrival clock in ms; never goes back within a file.
        value: the payload as it goes to the topic.
        line: first line of the row it came from.
        text: that row as it stands in the file; None where it is the payload itself.
    """

    arrival: EpochMs
    topic: str
    value: bytes
    file: str
    line: int
    text: str | None

    @property
    def original(self) -> str:
        """Text of the row for people; bytes that are not UTF-8 are replaced."""
        return self.value.decode("utf-8", "replace") if self.text is None else self.text


class _Peek(msgspec.Struct, gc=False):
    """The one field that every payload has to give here."""

    at: int


class _Key(msgspec.Struct, gc=False):
    """What a record may be keyed by; text only, because anything else is refused later."""

    user_id: str | None = None
    campaign_id: str | None = None
    order_id: str | None = None
    region: str | None = None
    sku: str | None = None
    plan_id: str | None = None


class Recording:
    """Files opened as one stream, to be used as a context.

    Opening checks them all, so an error comes before the first record.
    """

    def __init__(self, files: Sequence[Path], mapping: Path | None, now: EpochMs) -> None:
        """Open.

        Args:
            files: recorded files, or folders of files named after topics.
            mapping: how their rows become events; None for NDJSON payloads in files named after topics.
            now: wall clock; event times after it do not move the arrival clock.

        Raises:
            InputFileError: a file cannot be opened, its topic is not clear, or the mapping is wrong.
        """
        self._now = now
        mapper = None if mapping is None else Mapper(read_mapping(mapping), mapping.parent)
        self._opened: list[OpenFile] = []
        self._streams: list[Iterator[Recorded]] = []
        try:
            for path in _expand(files):
                opened = OpenFile(path)
                self._opened.append(opened)
                topic = "" if mapper is not None else topic_of(path)
                stream = self._native(opened, topic) if mapper is None else self._mapped(opened, mapper)
                self._streams.append(_primed(stream))
        except InputFileError:
            self.close()
            raise

    def close(self) -> None:
        """Close the files; what was not read is not read any more."""
        for opened in self._opened:
            opened.close()

    def __enter__(self) -> Self:
        """Give itself; leaving closes the files."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the files."""
        self.close()

    @property
    def size(self) -> int:
        """Bytes of all files on disk."""
        return sum(opened.size for opened in self._opened)

    def bytes_read(self) -> int:
        """Bytes read of them so far."""
        return sum(opened.bytes_read() for opened in self._opened)

    def __iter__(self) -> Iterator[Recorded]:
        """Give the records in order of arrival; equal times in order of the files. Only once.

        Raises:
            InputFileError: a file cannot be read to its end.
        """
        if len(self._streams) == 1:
            return self._streams[0]
        return merge(*self._streams, key=lambda record: record.arrival)

    def _native(self, opened: OpenFile, topic: str) -> Iterator[Recorded]:
        peek, name, now = msgspec.json.Decoder(_Peek).decode, str(opened.path), self._now
        clock = EpochMs(0)
        for line, value in enumerate(opened.lines(), 1):
            if not value:
                continue
            try:
                at = peek(value).at
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                at = 0  # not an event: it arrives now and is refused where events are judged
            if clock < at <= now:
                clock = EpochMs(at)
            yield Recorded(clock, topic, value, name, line, None)

    def _mapped(self, opened: OpenFile, mapper: Mapper) -> Iterator[Recorded]:
        encode, name = msgspec.json.encode, str(opened.path)
        clock = EpochMs(0)
        for event in mapper.read(opened):
            clock = max(clock, self._arrival_of(event))
            value = event.row.text.encode() if event.body is None else encode(event.body)
            yield Recorded(clock, event.topic, value, name, event.row.line, event.row.text)

    def _arrival_of(self, event: Mapped) -> EpochMs:
        at = event.arrival if event.arrival is not None else (event.body or {}).get("at")
        return EpochMs(at) if isinstance(at, int) and at <= self._now else EpochMs(0)


def topic_of(path: Path) -> str:
    """Give the topic a file of payloads is named after, as in `ads.clicks.v1.ndjson` or `ads.clicks.v1-2.ndjson.gz`.

    Raises:
        InputFileError: the name begins with no topic.
    """
    for topic in KINDS:
        if path.name.startswith(topic):
            return topic
    raise InputFileError(
        f"cannot tell the topic of {path}: name it after one, as in ads.clicks.v1.ndjson, or give --mapping"
    )


def key_of() -> Callable[[str, bytes], bytes]:
    """Give the function from topic and payload to the record's key: user, else campaign, else order.

    Campaigns, announcements, stock and results are keyed by what they are
    about. A payload that is no event is keyed by itself.
    """
    decode = msgspec.json.Decoder(_Key).decode

    def key(topic: str, value: bytes) -> bytes:
        try:
            fields = decode(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return value[:64]
        for name in _KEY_FIELDS.get(topic, _EVENT_KEYS):
            text: str | None = getattr(fields, name)
            if text is not None:
                return text.encode("utf-8", "replace")
        return value[:64]

    return key


def _expand(files: Sequence[Path]) -> list[Path]:
    out: list[Path] = []
    for path in files:
        if not path.is_dir():
            out.append(path)
            continue
        inside = sorted(entry for entry in path.iterdir() if entry.name.endswith(ENDINGS))
        mine = [entry for entry in inside if any(entry.name.startswith(topic) for topic in KINDS)]
        if not mine:
            raise InputFileError(f"the folder {path} holds no file named after a topic, such as ads.clicks.v1.ndjson")
        out.extend(mine)
    return out


def _primed(stream: Iterator[Recorded]) -> Iterator[Recorded]:
    """Read the first record at once, so that a file that cannot be used is an error before any record is passed on."""
    first = next(stream, None)

    def rest() -> Iterator[Recorded]:
        if first is not None:
            yield first
            yield from stream

    return rest()
