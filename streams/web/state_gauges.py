"""Gauges of the state: how fresh, how far, which status, how many decisions, what was refused."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

from models.decisions import Status
from models.regions import PROVINCES
from models.units import SECOND_MS
from rules.guardrails import CODES
from streams.ports import Progress, TopicPartition
from streams.web.snapshots import Base
from streams.web.tally_gauges import tally_families

NAMESPACE: Final = "subsidywatch"
STATUSES: Final = (Status.ON, Status.PARTIAL, Status.OFF, Status.UNKNOWN)
RESULTS: Final = ("applied", "duplicate", "stale", "rejected", "failed")

Sample = tuple[Sequence[str], float | None]


def state_families(base: Base, progress: Mapping[TopicPartition, Progress]) -> Iterator[Metric]:
    """Give the gauges of one scrape; what is not known has no sample."""
    yield from _times(base)
    yield from _partitions(progress)
    yield from _statuses(base)
    yield from _decisions(base)
    yield from tally_families(base.meta.tallies)


def _times(base: Base) -> Iterator[Metric]:
    meta = base.meta
    yield _family(
        "event_head_timestamp_seconds",
        "Newest event time.",
        (),
        [((), _seconds(meta.head))],
    )
    yield _family(
        "event_watermark_timestamp_seconds",
        "Event time before which evidence is closed.",
        (),
        [((), _seconds(meta.watermark))],
    )
    yield _family(
        "decided_timestamp_seconds",
        "Event time before which evidence is decided.",
        (),
        [((), _seconds(base.decided.position))],
    )
    yield _family(
        "last_write_timestamp_seconds",
        "Wall time of the newest write to the store.",
        (),
        [((), _seconds(meta.last_write))],
    )
    yield _family("kill_switch_on", "1 while no shift may leave.", (), [((), float(meta.killed))])
    rules = [((meta.mode, meta.config_hash), 1.0)]
    yield _family("rules_info", "Mode and content hash of this reader's rules.", ("mode", "config_hash"), rules)


def _partitions(progress: Mapping[TopicPartition, Progress]) -> Iterator[Metric]:
    labels = ("topic", "partition")
    named = {(tp.topic, str(tp.partition)): step for tp, step in sorted(progress.items())}
    yield _family(
        "fence_next_offset",
        "First offset of a partition that is not applied.",
        labels,
        [(tp, step.next_offset) for tp, step in named.items()],
    )
    yield _family(
        "fence_head_timestamp_seconds",
        "Newest event time applied from a partition.",
        labels,
        [(tp, _seconds(step.head)) for tp, step in named.items()],
    )
    yield _family(
        "fence_write_timestamp_seconds",
        "Wall time at which a partition last moved.",
        labels,
        [(tp, _seconds(step.seen)) for tp, step in named.items()],
    )


def _statuses(base: Base) -> Iterator[Metric]:
    found = base.decided.statuses
    codes = [str(province.adcode) for province in PROVINCES]
    is_now = {code: found[code].status if code in found else Status.UNKNOWN for code in codes}
    yield _family(
        "region_status",
        "1 for the subsidy status a region has, 0 for the others.",
        ("region", "status"),
        [((code, status.value), float(is_now[code] is status)) for code in codes for status in STATUSES],
    )
    yield _family(
        "region_suspect",
        "1 while evidence gathers against the status of a region.",
        ("region",),
        [((code,), float(code in found and found[code].suspect)) for code in codes],
    )
    yield _family(
        "region_contradicted",
        "1 while orders contradict the latest announcement.",
        ("region",),
        [((code,), float(code in found and found[code].alert is not None)) for code in codes],
    )
    yield _family(
        "region_status_since_timestamp_seconds",
        "Estimated or announced time of the latest change.",
        ("region",),
        [((code,), _seconds(found[code].since)) for code in codes if code in found],
    )


def _decisions(base: Base) -> Iterator[Metric]:
    state = base.decided
    yield _family("transitions_decided", "Changes of a status decided so far.", (), [((), state.transitions)])
    yield _family("plans_decided", "Budget plans decided so far.", (), [((), state.plans)])
    held = Counter(veto.code for veto in base.feed.held)
    yield _family(
        "held_shifts",
        "Shifts held back by a guard rail, among the newest of the log.",
        ("code",),
        [((code,), held[code]) for code in CODES],
    )
    answers = Counter(result.result for result in base.feed.results)
    yield _family(
        "shift_answers",
        "Answers of bid adjusters, among the newest of the log.",
        ("result",),
        [((result,), answers[result]) for result in RESULTS],
    )


def _family(name: str, text: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(f"{NAMESPACE}_{name}", text, labels=labels)
    for values, value in samples:
        if value is not None:
            family.add_metric(values, value)
    return family


def _seconds(at: int | None) -> float | None:
    return None if at is None else at / SECOND_MS
