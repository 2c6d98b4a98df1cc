"""Key strings and field codes: what is in Redis must not change by accident."""

import pytest

from models.totals import AD_COUNTERS, GROUPS
from models.units import EpochMs
from models.windows import Bucket, Level, Scope
from streams.ports import BucketRef, TopicPartition
from streams.store import keys as keys_module
from streams.store.keys import CODES, NAMES, FieldCodes, Keys, fence_field

NOON = EpochMs(1_735_704_000_000)


def test_keys_are_spelt_as_the_layout_says() -> None:
    """A changed spelling hides what is stored, so it needs a new layout version."""
    keys = Keys("sw", 4)

    expected = {
        "sw:{3}:v2:fences",
        "sw:{3}:v2:t:rm:1735704000000",
        "sw:{3}:v2:t:ch:1735704000000",
        "sw:{3}:v2:t:xd:1735704000000",
        "sw:{3}:v2:e:1735704000000",
        "sw:{3}:v2:l:1735704000000",
        "sw:{3}:v2:j:1735704000000",
        "sw:{3}:v2:expiries",
        "sw:{3}:v2:seconds",
        "sw:{3}:v2:facts:campaigns",
        "sw:{3}:v2:tallies",
        "sw:{0}:v2:state",
        "sw:{0}:v2:outbox",
        "sw:{0}:v2:outbox:bodies",
        "sw:{0}:v2:log:shifts",
        "sw:{0}:v2:log:shifts:bodies",
        "sw:{0}:v2:switch",
        "sw:{0}:v2:limits",
    }
    actual = {
        keys.fences(3),
        keys.bucket(3, BucketRef(Scope.REGION, Bucket(Level.MINUTE, NOON))),
        keys.bucket(3, BucketRef(Scope.CAMPAIGN, Bucket(Level.HOUR, NOON))),
        keys.bucket(3, BucketRef(Scope.REGION_CAMPAIGN, Bucket(Level.DAY, NOON))),
        keys.second(3, NOON),
        keys.lines(3, NOON),
        keys.visits(3, NOON),
        keys.expiries(3),
        keys.seconds(3),
        keys.facts(3, "campaigns"),
        keys.tallies(3),
        keys.state(),
        *keys.outbox(),
        *keys.log("shifts"),
        keys.switch(),
        keys.limits(),
    }
    assert expected == actual


def test_a_partition_lives_in_one_shard() -> None:
    """Partitions go round the shards, whatever their topic."""
    keys = Keys("sw", 3)

    assert [0, 1, 2, 0] == [keys.shard_of(TopicPartition("a", number)) for number in range(4)]
    assert "shop.orders.v1:12" == fence_field(TopicPartition("shop.orders.v1", 12))


def test_codes_are_one_letter_each_and_come_back() -> None:
    """No code is a carry, a group or holds a colon, and every counter that is kept one by one can be read back."""
    assert all(len(code) == 1 and code.isalpha() for code in CODES.values())
    assert set(AD_COUNTERS) == set(CODES) == set(NAMES.values())
    assert set() == set(NAMES) & set(GROUPS)


def test_a_field_is_split_at_its_first_colon() -> None:
    """Campaign ids may hold colons."""
    codes = FieldCodes()

    assert "s:440000:a:b" == codes["spend_micros:440000:a:b"]
    assert {"spend_micros:440000:a:b": "s:440000:a:b"} == codes


@pytest.mark.parametrize("field", ["clicks", "visits:440000", "orders_placed:440000", ":440000", ""])
def test_a_field_without_a_counter_is_refused(field: str) -> None:
    """A misspelt counter must not become a number that nobody reads."""
    with pytest.raises(ValueError, match="counter"):
        FieldCodes()[field]


def test_remembered_fields_are_bounded() -> None:
    """Campaign ids come from outside, so the memory of them may not grow for ever."""
    codes = FieldCodes()
    for number in range(keys_module._MOST_FIELDS + 5):
        codes[f"clicks:{number}"]

    assert 5 == len(codes)
