"""Progress: a bar on a terminal, nothing elsewhere."""

import io
import sys

import pytest

from streams.progress import progress


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_bar_with_eta_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """The label, the share and an ETA are drawn."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")

    with progress("replay", 200) as show:
        show(50)

    assert all(word in screen.getvalue() for word in ("replay", "100%", "ETA"))


def test_silent_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal nothing is written."""
    with progress("replay", 200) as show:
        show(50)

    assert "" == "".join(capsys.readouterr())
