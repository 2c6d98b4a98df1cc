"""Peer: Quix Streams on keyed records: tumbling windows for J1, hopping ones for J2, no changelog."""

import os

import job
import marks
from quixstreams import Application

campaign_of = job.campaigns(job.connect())
client = job.connect()
cells: dict[tuple[str, int], dict[str, int]] = {}
dirty: set[tuple[str, int]] = set()
HOUR_MS = 60 * job.MINUTE_MS


def flush() -> None:
    """Write the campaigns' sums of every window that changed."""
    pipe = client.pipeline(transaction=False)
    for campaign, start in dirty:
        pipe.hset(f"result:{campaign}", str(start), sum(cells[campaign, start].values()))
    pipe.execute()
    dirty.clear()


meter = marks.Meter(flush, marks.EVENTS + 1)
app = Application(
    broker_address=marks.BOOTSTRAP,
    consumer_group=marks.GROUP,
    auto_offset_reset="earliest",
    auto_create_topics=False,
    use_changelog_topics=False,
    state_dir=marks.FOLDER,
    loglevel="ERROR",
    commit_interval=1.0,
    consumer_extra_config={
        "fetch.queue.backoff.ms": 5,
        "queued.min.messages": 200_000,
        "queued.max.messages.kbytes": 131_072,
        "fetch.message.max.bytes": 4 << 20,
    },
    consumer_poll_timeout=0.1,
)
topic = app.topic(
    marks.TOPIC,
    key_deserializer="str",
    value_deserializer="json",
    timestamp_extractor=lambda value, headers, timestamp, kind: int(value["event_time"]),
)


def passes(value: dict[str, str]) -> bool:
    """Count what is read; let the views through."""
    meter.begin()
    meter.step()
    if meter.count == marks.EVENTS:
        app.stop()  # after this one
    return value["event_type"] == "view"


def keep(window: dict[str, int], ad: str, *_: object) -> None:
    """Keep the newest value of an ad's window and write once a second."""
    start = window["start"] if marks.JOB == "J1" else window["end"]
    cell = campaign_of[ad], start
    cells.setdefault(cell, {})[ad] = window["value"]
    dirty.add(cell)


frame = app.dataframe(topic).filter(passes)
if marks.JOB == "J1":
    windows = frame.tumbling_window(10_000, grace_ms=90_000).count().current()
else:
    windows = frame.hopping_window(HOUR_MS, job.MINUTE_MS, grace_ms=90_000).count().current()
windows.update(keep, metadata=True)
app.run()
flush()
marks.mark("last")
os._exit(0)
