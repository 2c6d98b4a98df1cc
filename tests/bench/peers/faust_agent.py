"""Peer: a stock Faust agent, one event at a time, as the documentation shows; sums in a dict, Redis each second."""

import json
import sys

import faust
import job
import marks
from faust.types import StreamT

app = faust.App(
    marks.GROUP,
    broker=f"kafka://{marks.BOOTSTRAP}",
    topic_allow_declare=False,
    topic_disable_leader=True,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=1.0,
    stream_wait_empty=False,
    datadir=marks.FOLDER,
)
results = job.Results(job.connect())
meter = marks.Meter(results.flush)


@app.on_partitions_assigned.connect
async def assigned(*_: object, **__: object) -> None:
    """Begin at the assignment."""
    meter.begin()


@app.agent(app.topic(marks.TOPIC, value_serializer="raw"))
async def views(stream: StreamT[bytes]) -> None:
    """Count views."""
    async for raw in stream:
        event = json.loads(raw)
        if event["event_type"] == "view":
            start = job.start_of(event["event_time"][: -job.WINDOW_DIGITS])
            results.add_one(results.campaign_of(event["ad_id"]), start, 1)
        meter.step()


@app.timer(job.FLUSH_S)  # type: ignore[untyped-decorator]
async def flush() -> None:
    """Write what has changed."""
    results.flush()


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "-l", "error", "--without-web"]
    app.main()
