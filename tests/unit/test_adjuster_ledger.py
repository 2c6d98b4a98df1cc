"""The ledger keeps the first verdict for ever, in memory and in a file alike."""

from pathlib import Path

import pytest

from models.errors import InputFileError
from streams.adjuster.ledger import AppliedStore, MemoryLedger, SqliteLedger, Verdict


def verdict(shift_id: str, epoch: int = 0, **changes: object) -> Verdict:
    """Judge a shift as applied."""
    fields: dict[str, object] = {
        "shift_id": shift_id,
        "category": "phone",
        "decision_epoch": epoch,
        "result": "applied",
        "applied_version": 4,
        "at": 1_000,
        "detail": None,
    }
    return Verdict(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture(params=["memory", "sqlite"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> AppliedStore:
    """Give each kind of ledger, empty."""
    return MemoryLedger() if request.param == "memory" else SqliteLedger(tmp_path / "ledger.sqlite")


def test_first_verdict_stands(ledger: AppliedStore) -> None:
    """A second verdict about the same shift is not kept; the first is given back."""
    first = verdict("a")

    assert first == ledger.record(first)
    assert first == ledger.record(verdict("a", result="rejected", applied_version=None, detail="late"))
    assert first == ledger.find("a")


def test_unknown_shift_has_no_verdict(ledger: AppliedStore) -> None:
    """Nothing is said about a shift that was never judged."""
    assert ledger.find("a") is None
    assert ledger.newest_epoch("phone") is None


def test_answered_is_remembered(ledger: AppliedStore) -> None:
    """A verdict is unanswered until the acknowledgement is noted."""
    ledger.record(verdict("a"))
    ledger.mark_answered("a")

    assert verdict("a", answered=True) == ledger.find("a")


def test_newest_epoch_is_per_category(ledger: AppliedStore) -> None:
    """Decisions of one category do not make those of another old."""
    ledger.record(verdict("a", epoch=3))
    ledger.record(verdict("b", epoch=7))
    ledger.record(verdict("c", epoch=5))
    ledger.record(verdict("d", epoch=90, category="fridge"))

    assert 7 == ledger.newest_epoch("phone")


def test_file_survives_reopening(tmp_path: Path) -> None:
    """A second ledger on the same file knows what the first was told."""
    SqliteLedger(tmp_path / "ledger.sqlite").record(verdict("a"))

    assert verdict("a") == SqliteLedger(tmp_path / "ledger.sqlite").find("a")


def test_file_that_is_no_ledger_is_one_sentence(tmp_path: Path) -> None:
    """A file of another kind is refused by name."""
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to be read as one" * 20)

    with pytest.raises(InputFileError, match=r"notes\.txt"):
        SqliteLedger(path)
