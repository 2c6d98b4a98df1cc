"""Records that are kept whole instead of counted: announcements, campaigns, stock figures, answers to shifts."""

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import BaseModel

from models.codec import decode
from models.events import Kind
from models.fold import Folded
from models.units import EpochMs
from streams.ports import Fact

KEPT: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.ANNOUNCEMENTS: ("event_id",),
    Kind.CAMPAIGNS: ("campaign_id",),
    Kind.STOCK: ("sku",),
    Kind.RESULTS: ("shift_id", "consumer"),
}
"""What identifies a kept record within its kind; a later one of the same identity replaces it."""


def keep(
    kind: Kind, values: Sequence[bytes | None], head: EpochMs | None, limit: int
) -> tuple[Folded, tuple[Fact, ...]]:
    """Read a slice of kept records.

    Args:
        kind: one of `KEPT`; its value is the kind of the facts.
        values: the records.
        head: given back as it is: kept records move no watermark.
        limit: longest record in bytes, inclusive.
    """
    decoded = decode(kind, values, limit)
    facts = {}
    for event in decoded.events:
        assert isinstance(event, BaseModel)  # noqa: S101  only the hot kinds are read into anything else
        key = "|".join(str(getattr(event, field)) for field in KEPT[kind])
        facts[key] = Fact(kind.value, key, event.model_dump_json())
    tallies = {f"accepted:{kind.value}": len(decoded.events)} if decoded.events else {}
    for _, verdict in decoded.rejects:
        name = f"rejected:{kind.value}:{verdict.reason}"
        tallies[name] = tallies.get(name, 0) + 1
    return Folded(head=head, rejects=decoded.rejects, tallies=tallies), tuple(facts.values())
