"""J3's reference: stock Faust agents with pydantic models and sums in memory; no join, no duplicates, no Redis."""

import sys
from collections import defaultdict

import faust
import marks
from faust.types import StreamT

from models.events import Click, Impression, Order

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
sums: defaultdict[tuple[str, int, str], list[int]] = defaultdict(lambda: [0, 0])
meter = marks.Meter(lambda: None)


def add(kind: str, event: Impression | Click | Order, amount: int) -> None:
    """Add to the same three scopes as the product, per minute."""
    minute, campaign = event.at // 60_000, event.campaign_id or ""
    for member in (event.region, campaign, f"{event.region}:{campaign}"):
        cell = sums[kind, minute, member]
        cell[0] += 1
        cell[1] += amount
    meter.step()


@app.on_partitions_assigned.connect
async def assigned(*_: object, **__: object) -> None:
    """Begin at the assignment: start-up is not the subject."""
    meter.begin()


@app.agent(app.topic(f"{marks.TOPIC}ads.impressions.v1", value_serializer="raw"), name="stock.impressions")
async def impressions(stream: StreamT[bytes]) -> None:
    """Count impressions."""
    async for raw in stream:
        event = Impression.model_validate_json(raw)
        add("impressions", event, event.spend_micros)


@app.agent(app.topic(f"{marks.TOPIC}ads.clicks.v1", value_serializer="raw"), name="stock.clicks")
async def clicks(stream: StreamT[bytes]) -> None:
    """Count clicks."""
    async for raw in stream:
        event = Click.model_validate_json(raw)
        add("clicks", event, event.spend_micros)


@app.agent(app.topic(f"{marks.TOPIC}shop.orders.v1", value_serializer="raw"), name="stock.orders")
async def orders(stream: StreamT[bytes]) -> None:
    """Count orders."""
    async for raw in stream:
        event = Order.model_validate_json(raw)
        add("orders", event, event.amount_micros)


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "-l", "error", "--without-web"]
    app.main()
