"""Panels of the dashboard "flow": do events get from Kafka into the totals, and how fast."""

from typing import Final

from chart import ME, Chart

WORKER: Final = "subsidywatch_worker"

FLOW_CHARTS: Final = (
    Chart(
        "Workers ready",
        "Workers from which data flow now. Fewer than there are processes: see /readyz of the missing one.",
        "number",
        "short",
        4,
        ((f"sum({WORKER}_ready{{{ME}}})", "ready"),),
    ),
    Chart(
        "Partitions assigned",
        "Partitions read by all workers together; should equal the partitions of all input topics.",
        "number",
        "short",
        4,
        ((f"sum({WORKER}_assigned_partitions{{{ME}}})", "assigned"),),
    ),
    Chart(
        "Records behind",
        "End of the log minus first offset not applied to the store, all partitions together.",
        "number",
        "short",
        4,
        ((f"sum({WORKER}_lag_records{{{ME}}})", "behind"),),
    ),
    Chart(
        "Records per second",
        "Records read and settled, by topic; dead letters included.",
        "lines",
        "cps",
        12,
        ((f"sum by (topic) (rate({WORKER}_records_total{{{ME}}}[$__rate_interval]))", "{{topic}}"),),
    ),
    Chart(
        "Lag by topic",
        "Records not applied yet. A line that keeps rising means more comes in than is read.",
        "lines",
        "short",
        12,
        ((f"sum by (topic) ({WORKER}_lag_records{{{ME}}})", "{{topic}}"),),
    ),
    Chart(
        "Time to settle a slice",
        "Median and 99th percentile of one slice: decode, sum up, one atomic write; retries included.",
        "lines",
        "s",
        12,
        tuple(
            (
                f"histogram_quantile({q}, sum by (le) "
                f"(rate({WORKER}_slice_duration_seconds_bucket{{{ME}}}[$__rate_interval])))",
                name,
            )
            for q, name in ((0.5, "median"), (0.99, "99 %"))
        ),
    ),
    Chart(
        "From append to visible",
        "Median and 99th percentile from the broker's append of a slice's oldest records to its totals in the store.",
        "lines",
        "s",
        12,
        tuple(
            (
                f"histogram_quantile({q}, sum by (le) "
                f"(rate({WORKER}_append_to_visible_seconds_bucket{{{ME}}}[$__rate_interval])))",
                name,
            )
            for q, name in ((0.5, "median"), (0.99, "99 %"))
        ),
    ),
    Chart(
        "Back-pressure",
        "Records in hand and not settled, and workers that take in nothing more until some are.",
        "lines",
        "short",
        12,
        (
            (f"sum({WORKER}_unacknowledged_records{{{ME}}})", "in hand"),
            (f"sum({WORKER}_paused{{{ME}}})", "paused workers"),
        ),
    ),
    Chart(
        "Slices by outcome",
        "applied: counted. fenced: another worker owns the partition. gap: read again. dropped: partition was revoked.",
        "lines",
        "cps",
        12,
        ((f"sum by (outcome) (rate({WORKER}_slices_total{{{ME}}}[$__rate_interval]))", "{{outcome}}"),),
    ),
    Chart(
        "Calls repeated",
        "Retries because Kafka or Redis was away. Anything above zero for long is an outage of that service.",
        "lines",
        "cps",
        12,
        ((f"sum by (service) (rate({WORKER}_retries_total{{{ME}}}[$__rate_interval]))", "{{service}}"),),
    ),
    Chart(
        "Refused and lost",
        "Slices refused by the fence, and offsets the log dropped before they were read. Lost must stay at zero.",
        "lines",
        "cps",
        12,
        (
            (f"sum(rate({WORKER}_fenced_total{{{ME}}}[$__rate_interval]))", "refused by the fence"),
            (f"sum(rate({WORKER}_lost_records_total{{{ME}}}[$__rate_interval]))", "lost"),
        ),
    ),
    Chart(
        "Decide line",
        "Runs per second of the decide line, runs put off because a service was away, and decisions made.",
        "lines",
        "cps",
        12,
        (
            (f"sum(rate({WORKER}_decide_duration_seconds_count{{{ME}}}[$__rate_interval]))", "runs"),
            (f"sum(rate({WORKER}_decide_failures_total{{{ME}}}[$__rate_interval]))", "put off"),
            (f"sum(rate({WORKER}_decisions_total{{{ME}}}[$__rate_interval]))", "decisions"),
        ),
    ),
    Chart(
        "Rebalances and commits",
        "Times partitions were claimed, and offset commits by outcome; refused ones belong to rebalances.",
        "lines",
        "cps",
        12,
        (
            (f"sum(rate({WORKER}_assignments_total{{{ME}}}[$__rate_interval]))", "claimed"),
            (f"sum by (outcome) (rate({WORKER}_commits_total{{{ME}}}[$__rate_interval]))", "commit {{outcome}}"),
        ),
    ),
)
