"""Payload files as `simulate` writes them: one NDJSON file a topic, in order of arrival."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from models.errors import InputFileError


class PayloadFolder:
    """A folder that takes payloads; a file is created with its topic's first record."""

    def __init__(self, folder: Path, *, zipped: bool) -> None:
        """Create the folder.

        Raises:
            InputFileError: it cannot be created, or holds payload files already.
        """
        self._folder = folder
        self._zipped = zipped
        self._streams: dict[str, IO[bytes]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputFileError(f"cannot create the folder {folder}: {error.strerror}") from None
        if old := sorted(folder.glob("*.v1.ndjson*")):
            raise InputFileError(f"the folder {folder} holds {old[0].name} already; name an empty one")

    def write(self, topic: str, value: bytes) -> None:
        """Append a payload to its topic's file."""
        stream = self._streams.get(topic) or self._create(topic)
        stream.write(value)
        stream.write(b"\n")

    def write_json(self, name: str, tree: Mapping[str, object]) -> None:
        """Write a JSON file beside the payloads."""
        text = json.dumps(tree, ensure_ascii=False, indent=1)
        (self._folder / name).write_text(text + "\n", encoding="utf-8")

    def __enter__(self) -> Self:
        """Give itself; leaving closes the files."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the files."""
        for stream in self._streams.values():
            stream.close()

    def _create(self, topic: str) -> IO[bytes]:
        name = f"{topic}.ndjson"
        if self._zipped:
            # No time in the header: the same scenario gives the same bytes.
            stream = cast(IO[bytes], gzip.GzipFile(self._folder / f"{name}.gz", "wb", compresslevel=5, mtime=0))
        else:
            stream = (self._folder / name).open("wb", buffering=1 << 20)
        self._streams[topic] = stream
        return stream
