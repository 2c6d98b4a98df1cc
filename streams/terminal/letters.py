"""Refused records in words: what `dlq list` and `dlq show` print, with nothing in it that a terminal would obey."""

from streams.dead_reading import Letter
from streams.wording import printable


def letter_line(letter: Letter) -> str:
    """Give one line: place, reason, origin, detail."""
    row = letter.summary()
    again = f"  (put back {letter.rounds} times before)" if letter.rounds else ""
    return printable(f"{row['place']}  {row['reason']}  from {row['original']}  {row['detail']}{again}")


def letter_text(letter: Letter, *, on_terminal: bool) -> str:
    """Give headers, an empty line and the original record.

    Args:
        letter: the refused record.
        on_terminal: show control characters of the record as escapes; else the record is given as it is.
    """
    headers = [printable(f"{name}: {value}") for name, value in letter.headers.items()]
    text = value_text(letter)
    return "\n".join([*headers, "", "\n".join(map(printable, text.split("\n"))) if on_terminal else text])


def value_text(letter: Letter) -> str:
    """Give the original record as text, bytes that are no UTF-8 as escapes; empty for a tombstone."""
    return "" if letter.value is None else letter.value.decode("utf-8", "backslashreplace")
