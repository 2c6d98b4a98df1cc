"""Gauges of the process-wide counts: accepted, late, refused, forgotten, and how orders follow their clicks."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric

from models.codec import REASONS
from models.cohorts import DELAYS
from models.events import Kind
from models.lateness import LATE_BY

_KINDS: Final = tuple(kind.value for kind in Kind)


class _Tallied(NamedTuple):
    """One gauge: what it is, and the closed set of its labels' values; a tally is named by `stem` and these.

    Attributes:
        stem: first part of the tallies' names.
        name: name of the gauge without the namespace.
        text: help.
        labels: label to its values.
    """

    stem: str
    name: str
    text: str
    labels: Mapping[str, Sequence[str]]


_TALLIED: Final[tuple[_Tallied, ...]] = (
    _Tallied("accepted", "accepted_records", "Records accepted, by all workers ever.", {"kind": _KINDS}),
    _Tallied("duplicates", "duplicates_records", "Repeated records dropped, by all workers ever.", {"kind": _KINDS}),
    _Tallied(
        "late", "late_records", "Records that came late but still counted, by all workers ever.", {"kind": _KINDS}
    ),
    _Tallied(
        "late_by",
        "late_by_records",
        "Records behind the newest event time of their partition by this long, and less than the next longer.",
        {"kind": _KINDS, "least": tuple(name for name, _ in LATE_BY)},
    ),
    _Tallied(
        "rejected",
        "rejected_records",
        "Records refused, by all workers ever.",
        {"kind": _KINDS, "reason": tuple(REASONS)},
    ),
    _Tallied(
        "late",
        "late_attributions",
        "Order lines so late that some click they could count for may be gone.",
        {"what": ("attribution",)},
    ),
    _Tallied(
        "forgotten",
        "forgotten_visits",
        "Clicks and order lines of one user and day beyond what is kept for attribution.",
        {"what": ("clicks", "lines")},
    ),
    _Tallied(
        "delay",
        "credited_orders",
        "Credited order lines by the time from click to order: up to this long, and longer than the next shorter.",
        {"delay": tuple(name for name, _ in DELAYS)},
    ),
)


def tally_families(tallies: Mapping[str, int]) -> Iterator[Metric]:
    """Give a gauge for each kind of count; one that was never counted has no sample."""
    for stem, name, text, labels in _TALLIED:
        family = GaugeMetricFamily(f"subsidywatch_{name}", text, labels=tuple(labels))
        for values in product(*labels.values()):
            tally = ":".join((stem, *values))
            if tally in tallies:
                family.add_metric(values, tallies[tally])
        yield family
