"""Every key and hash field of Redis; `docs/redis-layout.md` shows them with sizes.

```
sw:{3}:v2:t:rm:1735660800000     prefix : {shard} : layout : what : which
```

The braces are Redis Cluster's hash tag: all keys of a shard live in one slot,
so one script may write them together. A partition's data live in the shard
`partition mod shards`; readers ask all shards and add. What only the decide
line writes lives in shard 0.
"""

from dataclasses import dataclass
from typing import Final

from models.units import EpochMs
from models.windows import Level, Scope
from streams.ports import BucketRef, TopicPartition

LAYOUT: Final = "v2"
"""Version of everything below; a change that old readers cannot read takes a new one."""

CODES: Final[dict[str, str]] = {
    "impressions": "i",
    "clicks": "c",
    "spend_micros": "s",
}
"""Counters that are kept one by one, as stored, for their size; no code is a group of vectors."""

NAMES: Final[dict[str, str]] = {code: name for name, code in CODES.items()}
"""Stored codes back to counter names."""

CARRY: Final = "^"
"""First character of a field that counts multiples of `LIMB`, for sums past 64 bits."""

LIMB: Final = 1 << 62
"""A stored field stays within this on either side; what is beyond goes to its carry field."""

_SCOPES: Final[dict[Scope, str]] = {Scope.REGION: "r", Scope.CAMPAIGN: "c", Scope.REGION_CAMPAIGN: "x"}
_LEVELS: Final[dict[Level, str]] = {Level.MINUTE: "m", Level.HOUR: "h", Level.DAY: "d"}
_MOST_FIELDS: Final = 200_000


class FieldCodes(dict[str, str]):
    """`"counter:member"` to the stored field, remembered: a dictionary hit is all the hot path pays.

    Emptied when it holds `_MOST_FIELDS`, because campaign ids come from outside.
    """

    def __missing__(self, field: str) -> str:
        """Work the field out and remember it.

        Raises:
            ValueError: the part before the first colon is no counter that is kept one by one.
        """
        name, colon, member = field.partition(":")
        if not colon or name not in CODES:
            raise ValueError(f"{field[:100]!r} does not name a counter and a member")
        if len(self) >= _MOST_FIELDS:
            self.clear()
        stored = self[field] = f"{CODES[name]}:{member}"
        return stored


def fence_field(tp: TopicPartition) -> str:
    """Give the name of a partition inside the fences hash; topics hold no colon."""
    return f"{tp.topic}:{tp.partition}"


def join_field(partition: int) -> str:
    """Give the field of the fences hash that counts the writes of a partition number's clicks and orders."""
    return f"join:{partition}"


@dataclass(frozen=True, slots=True)
class Keys:
    """Builds key strings for one prefix and number of shards."""

    prefix: str = "sw"
    shards: int = 1

    def shard_of(self, tp: TopicPartition) -> int:
        """Give the shard that a partition's data live in."""
        return tp.partition % self.shards

    def _key(self, shard: int, rest: str) -> str:
        return f"{self.prefix}:{{{shard}}}:{LAYOUT}:{rest}"

    def fences(self, shard: int) -> str:
        """Hash: `topic:partition:` and `epoch`, `next`, `head`, `seen` or `end`, or `join:partition`, to an integer."""
        return self._key(shard, "fences")

    def bucket(self, shard: int, ref: BucketRef) -> str:
        """Hash: counter code and member to an integer, group and member to amounts, for one scope, level and start."""
        scope, (level, start) = ref
        return self._key(shard, f"t:{_SCOPES[scope]}{_LEVELS[level]}:{start}")

    def second(self, shard: int, start: EpochMs) -> str:
        """Hash: `e:` (eligible) or `u:` (subsidised) and region to an integer, for one second."""
        return self._key(shard, f"e:{start}")

    def lines(self, shard: int, day: EpochMs) -> str:
        """Hash: order line to its state, for lines placed on one day."""
        return self._key(shard, f"l:{day}")

    def visits(self, shard: int, day: EpochMs) -> str:
        """Hash: user to what they did on one day, as text."""
        return self._key(shard, f"j:{day}")

    def expiries(self, shard: int) -> str:
        """Sorted set: bucket, line and visit keys by the event time at which they may go."""
        return self._key(shard, "expiries")

    def seconds(self, shard: int) -> str:
        """Sorted set: evidence keys by the start of their second."""
        return self._key(shard, "seconds")

    def facts(self, shard: int, kind: str) -> str:
        """Hash: key to JSON, for one kind of fact."""
        return self._key(shard, f"facts:{kind}")

    def tallies(self, shard: int) -> str:
        """Hash: name to an integer."""
        return self._key(shard, "tallies")

    def state(self) -> str:
        """Hash: `version`, `body` of the decide line and `seq`, the last number given to an entry."""
        return self._key(0, "state")

    def outbox(self) -> tuple[str, str]:
        """Sorted set of entry ids by number, and hash of entry id to entry."""
        return self._key(0, "outbox"), self._key(0, "outbox:bodies")

    def log(self, log: str) -> tuple[str, str]:
        """Sorted set of entry ids by number, and hash of entry id to body."""
        return self._key(0, f"log:{log}"), self._key(0, f"log:{log}:bodies")

    def switch(self) -> str:
        """Hash: `on` 0 or 1, and the `actor` who set it."""
        return self._key(0, "switch")

    def limits(self) -> str:
        """Hash: name of a bound to its value, a space, and who set it."""
        return self._key(0, "limits")
