"""The error tree: one base, one fate per leaf."""

import pytest

from models import errors
from models.errors import InvalidEvent, MonitorError


def test_an_invalid_event_keeps_its_label_apart() -> None:
    """The reason is the short code, the sentence has both, and the detail is cut to 200 characters."""
    verdict = InvalidEvent("wrong_type", "x" * 300)

    assert "wrong_type" == verdict.reason
    assert "x" * 200 == verdict.detail
    assert str(verdict).startswith("wrong_type: x")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InvalidEvent", 70),
        ("SettingsError", 2),
        ("InputFileError", 2),
        ("ServiceUnavailable", 3),
        ("UnsafeStore", 2),
        ("OffsetGap", 70),
        ("DeadLetterLimit", 1),
        ("Stalled", 70),
        ("Fenced", 70),
        ("InfeasibleBounds", 1),
    ],
)
def test_every_error_is_drawn_and_has_an_exit_code(name: str, code: int) -> None:
    """Each leaf stands in the tree of the module's docstring."""
    error = getattr(errors, name)

    assert issubclass(error, MonitorError)
    assert code == error.exit_code
    assert f"x {name} " in str(errors.__doc__)
