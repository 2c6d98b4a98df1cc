"""Refused records on a terminal: whoever sent them cannot write on it."""

from streams.dead_reading import DeadPlace, Letter
from streams.terminal.letters import letter_line, letter_text

PLACE = DeadPlace("ads.clicks.v1.dead", 0, 7)
HOSTILE = Letter(
    PLACE,
    {"reason": "not_json\x1b]0;owned\x07", "detail": "\x1b[2Jgone", "topic": "t", "partition": "0", "offset": "5"},
    b'{"region": "\x1b[31m"}\nsecond \xff line',
)


def test_a_list_and_headers_obey_nothing() -> None:
    """Control characters from a record or its headers are shown as escapes."""
    assert "ads.clicks.v1.dead/0/7  not_json\\x1b]0;owned\\x07  from t/0/5  \\x1b[2Jgone" == letter_line(HOSTILE)
    assert "detail: \\x1b[2Jgone" in letter_text(HOSTILE, on_terminal=False).splitlines()


def test_a_record_is_escaped_on_a_terminal_alone() -> None:
    """On a terminal escapes are shown and line feeds kept; a file gets the record as it was."""
    shown, piped = (letter_text(HOSTILE, on_terminal=terminal) for terminal in (True, False))

    assert shown.endswith('\n\n{"region": "\\x1b[31m"}\nsecond \\xff line')
    assert piped.endswith('\n\n{"region": "\x1b[31m"}\nsecond \\xff line')


def test_a_tombstone_has_headers_alone() -> None:
    """A refused record without a value ends after the empty line."""
    assert "reason: empty\n\n" == letter_text(Letter(PLACE, {"reason": "empty"}, None), on_terminal=True)
