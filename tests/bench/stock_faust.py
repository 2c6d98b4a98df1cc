"""The peer: stock Faust agents with pydantic models and sums in memory, as the documentation shows.

Run: `python -m` is not possible outside a package, so: `python tests/bench/stock_faust.py BOOTSTRAP GROUP COUNT`.
Prints one JSON line when all events are counted, and ends.
"""

import json
import os
import signal
import sys
import time
from collections import defaultdict

import faust
from faust.types import StreamT
from feed import TOPICS

from models.events import Click, Impression, Order

BOOTSTRAP, GROUP, COUNT = sys.argv[1], sys.argv[2], int(sys.argv[3])
OUT = os.fdopen(os.dup(1), "w")

app = faust.App(
    GROUP,
    broker=f"kafka://{BOOTSTRAP}",
    topic_allow_declare=False,
    topic_disable_leader=True,
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    broker_commit_interval=1.0,
    stream_wait_empty=False,
    datadir=sys.argv[4],
)
sums: defaultdict[tuple[str, int, str, str], list[int]] = defaultdict(lambda: [0, 0])
state = {"count": 0, "cpu": 0.0, "wall": 0.0, "ready": 0.0}


def add(kind: str, event: Impression | Click | Order, amount: int) -> None:
    """Add to the same three scopes as the product, per minute, in memory, without exactly-once."""
    if not state["count"]:
        state["wall"] = time.perf_counter()
    minute = event.at // 60_000
    campaign = event.campaign_id or ""
    for scope, member in (("r", event.region), ("c", campaign), ("rc", f"{event.region}:{campaign}")):
        cell = sums[kind + scope, minute, member, ""]
        cell[0] += 1
        cell[1] += amount
    state["count"] += 1
    if state["count"] == COUNT:
        finish()


def finish() -> None:
    """Say what it cost and stop."""
    cpu = time.process_time() - state["cpu"]
    row = {"events": COUNT, "cpu_s": cpu, "wall_s": time.perf_counter() - state["wall"]}
    OUT.write(json.dumps(row) + "\n")
    OUT.flush()
    os.kill(os.getpid(), signal.SIGTERM)


@app.on_partitions_assigned.connect
async def assigned(*_: object, **__: object) -> None:
    """Start the CPU clock at the assignment: start-up is not the subject."""
    if not state["ready"]:
        state["ready"] = 1.0
        state["cpu"] = time.process_time()
        OUT.write('{"ready": true}\n')
        OUT.flush()


@app.agent(app.topic(TOPICS[0], value_serializer="raw"), name="stock.impressions")
async def impressions(stream: StreamT[bytes]) -> None:
    """Count impressions."""
    async for raw in stream:
        event = Impression.model_validate_json(raw)
        add("i", event, event.spend_micros)


@app.agent(app.topic(TOPICS[1], value_serializer="raw"), name="stock.clicks")
async def clicks(stream: StreamT[bytes]) -> None:
    """Count clicks."""
    async for raw in stream:
        event = Click.model_validate_json(raw)
        add("k", event, event.spend_micros)


@app.agent(app.topic(TOPICS[2], value_serializer="raw"), name="stock.orders")
async def orders(stream: StreamT[bytes]) -> None:
    """Count orders."""
    async for raw in stream:
        event = Order.model_validate_json(raw)
        add("o", event, event.amount_micros)


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "-l", "error", "--without-web"]
    app.main()
