"""Decisions: stable ids, aliases, frozen."""

import pytest
from pydantic import ValidationError

from models.decisions import Evidence, ShiftResult, Status, Transition, stable_id


def test_an_id_is_a_hash_of_its_cause() -> None:
    """The same parts give the same 32 hex digits in every run; the order and the cut of the parts matter."""
    assert "f355e1bb73bf6b003a4b8b5b3d1b7fef" == stable_id("a", 2)
    assert stable_id("a", 2) == stable_id("a", "2")
    assert 32 == len(stable_id())
    assert 3 == len({stable_id("a", "b"), stable_id("b", "a"), stable_id("ab")})


def test_a_transition_speaks_of_from_and_to() -> None:
    """JSON has `from`, which Python cannot name; both spellings build one."""
    body = {
        "transition_id": "t",
        "category": "phone",
        "region": "440000",
        "from": "OFF",
        "to": "ON",
        "at": 1,
        "decided_at": 2,
        "cause": "orders",
        "config_hash": "c",
        "not_declared": 1,
    }
    change = Transition.model_validate(body)

    assert (Status.OFF, Status.ON) == (change.from_, change.to)
    assert "OFF" == change.model_dump(by_alias=True)["from"]
    assert change == Transition.model_validate_json(change.model_dump_json(by_alias=True))


def test_decisions_do_not_change() -> None:
    """What was said stays said."""
    with pytest.raises(ValidationError):
        Evidence().orders = 1  # type: ignore[misc]


def test_a_result_is_one_of_five() -> None:
    """An answer the contract does not know is refused."""
    with pytest.raises(ValidationError):
        ShiftResult.model_validate({"shift_id": "s", "plan_id": "p", "consumer": "c", "result": "maybe", "at": 1})
