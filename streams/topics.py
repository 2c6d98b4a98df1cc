"""Every topic we read or write: partitions, retention and clean-up, in one table."""

from typing import Final, Literal, NamedTuple

from models.units import DAY_MS

DEAD_SUFFIX: Final = ".dead"
DEAD_BATCH_BYTES: Final = 2_097_152
"""Largest batch of a dead-letter topic: twice a broker's default, so that what it took comes to lie there whole."""


class TopicSpec(NamedTuple):
    """How a topic is laid out.

    Attributes:
        keyed: partitioned as widely as the settings say; otherwise one partition, which keeps total order.
        retention_days: how long records stay; None with compaction, where the newest per key stays for ever.
    """

    name: str
    keyed: bool
    cleanup: Literal["delete", "compact"]
    retention_days: int | None

    def partitions(self, wide: int) -> int:
        """Give the number of partitions when keyed topics have `wide`."""
        return wide if self.keyed else 1

    def configs(self) -> dict[str, str]:
        """Give the broker's topic settings; record times are the producer's clock, never event time."""
        out: dict[str, str] = {"cleanup.policy": self.cleanup}
        if self.retention_days is not None:
            out["retention.ms"] = str(self.retention_days * DAY_MS)
        if self.name.endswith(DEAD_SUFFIX):
            out["max.message.bytes"] = str(DEAD_BATCH_BYTES)
        return out


INPUTS: Final = (
    TopicSpec("ads.impressions.v1", True, "delete", 7),
    TopicSpec("ads.clicks.v1", True, "delete", 16),
    TopicSpec("shop.orders.v1", True, "delete", 40),
    TopicSpec("subsidy.announcements.v1", False, "delete", 90),
    TopicSpec("shop.stock.v1", False, "delete", 7),
    TopicSpec("ads.campaigns.v1", False, "compact", None),
    TopicSpec("budget.shift-results.v1", False, "delete", 90),
)

TOPICS: Final = (
    *INPUTS,
    TopicSpec("subsidy.transitions.v1", False, "delete", 90),
    TopicSpec("subsidy.status.v1", False, "compact", None),
    TopicSpec("budget.shifts.v1", False, "delete", 90),
    *(TopicSpec(spec.name + DEAD_SUFFIX, False, "delete", 30) for spec in INPUTS),
)
"""In the order they are created and listed."""

DEAD_TOPICS: Final = tuple(spec.name for spec in TOPICS if spec.name.endswith(DEAD_SUFFIX))
