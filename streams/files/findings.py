"""What a backtest finds, as files: transitions, shifts and refused records, one JSON object a line."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from models.decisions import SHIFTS_TOPIC, TRANSITIONS_TOPIC
from models.errors import InputFileError
from models.units import EpochMs
from streams.files.recorded import Recorded
from streams.ports import DeadLetter, OutboxEntry

_FILES: Final = {TRANSITIONS_TOPIC: "transitions.ndjson", SHIFTS_TOPIC: "shifts.ndjson"}
_REJECTED: Final = "rejected.ndjson"


class Findings:
    """A sink of files; use it as a context.

    Attributes:
        now: arrival clock, written as `detected_at`.
        origins: offset to record of the slice being read.
        published: records published, of all topics.
        written: lines written, by topic.
        rejected: refused records by reason.
    """

    def __init__(self, folder: Path) -> None:
        """Create the folder and empty files in it.

        Raises:
            InputFileError: it cannot be written.
        """
        self.now = EpochMs(0)
        self.origins: Mapping[int, Recorded] = {}
        self.published = 0
        self.written: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self._stack = ExitStack()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._out = {topic: self._open(folder / name) for topic, name in _FILES.items()}
            self._refused = self._open(folder / _REJECTED)
        except OSError as error:
            raise InputFileError(f"cannot write into the folder {folder}: {error.strerror}") from None

    async def publish(self, entries: Sequence[OutboxEntry]) -> None:
        """Write transitions and shifts; the status topic repeats them and has no file."""
        for entry in entries:
            self.published += 1
            stream = self._out.get(entry.topic)
            if stream is not None:
                self.written[entry.topic] += 1
                _write(stream, {**json.loads(entry.body), "detected_at": self.now})

    async def bury(self, letters: Sequence[DeadLetter]) -> None:
        """Write refused records with the file and line they came from."""
        for letter in letters:
            self.rejected[letter.reason] += 1
            origin = self.origins[letter.offset]
            _write(
                self._refused,
                {
                    "reason": letter.reason,
                    "detail": letter.detail,
                    "file": origin.file,
                    "line": origin.line,
                    "topic": letter.topic,
                    "text": origin.original,
                },
            )

    def __enter__(self) -> Self:
        """Give itself; leaving closes the files."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the files."""
        self._stack.close()

    def _open(self, path: Path) -> TextIO:
        return self._stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))


def _write(stream: TextIO, tree: Mapping[str, object]) -> None:
    stream.write(json.dumps(tree, ensure_ascii=False, separators=(",", ":")) + "\n")
