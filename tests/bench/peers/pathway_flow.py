"""Peer: Pathway, counting per ad before the join, which is its cheaper order; results to Redis once a second."""

import job
import marks
import pathway as pw

HOUR_MS = 60 * job.MINUTE_MS
results = job.Results(job.connect())
meter = marks.Meter(results.flush)
seen: dict[object, int] = {}


class Event(pw.Schema):  # type: ignore[misc]  # not installed where types are checked
    """The fields that the job reads."""

    ad_id: str
    event_type: str
    event_time: str


events = pw.io.kafka.read(
    {
        "bootstrap.servers": marks.BOOTSTRAP,
        "group.id": marks.GROUP,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": "6000",
        "fetch.queue.backoff.ms": "5",
        "queued.min.messages": "200000",
        "fetch.message.max.bytes": str(4 << 20),
    },
    topic=marks.TOPIC,
    schema=Event,
    format="json",
    autocommit_duration_ms=1_000,
)
digits = job.WINDOW_DIGITS
cells = (
    events.with_columns(ten=pw.this.event_time.str.parse_int() // 10_000)
    .groupby(pw.this.ad_id, pw.this.ten, pw.this.event_type)
    .reduce(pw.this.ad_id, pw.this.ten, pw.this.event_type, count=pw.reducers.count())
)


def change(key: object, row: dict[str, object], time: int, is_addition: bool) -> None:
    """Bring a cell's growth to the sums; the events of other types only say how far the reading is."""
    if not is_addition:
        return
    meter.begin()
    count = int(str(row["count"]))
    grown, seen[key] = count - seen.get(key, 0), count
    if row["event_type"] == "view":
        start = job.start_of(str(row["ten"]))
        results.add_one(results.campaign_of(str(row["ad_id"])), start, grown)
    meter.step(grown)


pw.io.subscribe(cells, on_change=change, on_time_end=lambda time: results.flush_if_due())
pw.run(monitoring_level=pw.MonitoringLevel.NONE)
