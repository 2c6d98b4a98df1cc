"""Peer: a Faust windowed Table, as the documentation shows; its changes go to a changelog topic, results to Redis."""

import json
import sys
from typing import Any

import faust
import job
import marks
from faust.types import StreamT

EXPIRES_S = 100_000_000.0

app = faust.App(
    marks.GROUP,
    broker=f"kafka://{marks.BOOTSTRAP}",
    store="memory://",
    topic_disable_leader=True,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=1.0,
    stream_wait_empty=False,
    datadir=marks.FOLDER,
)
client = job.connect()
campaign_of = job.campaigns(client)
table = app.Table("views", default=int, partitions=marks.PARTITIONS)
windows: Any = table.tumbling(10.0, EXPIRES_S) if marks.JOB == "J1" else table.hopping(3600.0, 60.0, EXPIRES_S)


def time_of(event: Any) -> float:
    """Give the event's own time, in seconds."""
    return int(event.value["event_time"]) / 1000


views_of = windows.relative_to(time_of)


def finish() -> None:
    """Write every window, once: the Table does not say which ones have changed."""
    pipe = client.pipeline(transaction=False)
    for (campaign, (start, end)), views in table.items():
        at = round(start * 1000) if marks.JOB == "J1" else round(end + 0.1) * 1000
        pipe.hset(f"result:{campaign}", str(at), views)
    pipe.execute()


meter = marks.Meter(finish)


@app.agent(app.topic(marks.TOPIC, value_serializer="raw"))
async def views(stream: StreamT[bytes]) -> None:
    """Count views."""
    event: Any
    async for event in stream.events():
        meter.begin()
        event.value = json.loads(event.value)
        if event.value["event_type"] == "view":
            views_of[campaign_of[event.value["ad_id"]]] += 1
        meter.step()


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "-l", "error", "--without-web"]
    app.main()
