"""Names that operators, brokers and stores keep: spelt out here, so that moving code renames nothing.

A red test here means that running installations would lose their place. What must change takes a new version.
"""

import re
import time

from prometheus_client import CollectorRegistry

from models.events import KINDS, TOPICS, Kind
from models.units import EpochMs
from streams.app import BATCHED_AGENTS, CONTROL_AGENTS, build_app
from streams.health import Health
from streams.keeping import KEPT
from streams.lifeline import Lifeline
from streams.observing import WorkerObserver
from streams.pipeline import Pipeline
from streams.settings import Settings
from streams.sinks.list_sink import ListSink
from streams.store.keys import LAYOUT
from streams.store.memory_store import MemoryStore
from streams.telemetry import Telemetry
from streams.topics import DEAD_TOPICS, INPUTS
from streams.topics import TOPICS as LAID_OUT

AGENTS = {
    "ingest.impressions": "ads.impressions.v1",
    "ingest.clicks": "ads.clicks.v1",
    "ingest.orders": "shop.orders.v1",
    "control.announcements": "subsidy.announcements.v1",
    "control.stock": "shop.stock.v1",
    "control.campaigns": "ads.campaigns.v1",
    "control.results": "budget.shift-results.v1",
}
OUTPUTS = {"subsidy.transitions.v1", "subsidy.status.v1", "budget.shifts.v1"}


def test_agents_and_group_keep_their_names() -> None:
    """The app is made of exactly these agents, under the group of the settings, which carries a version."""
    settings = Settings()
    health = Health(time.monotonic)
    observer = WorkerObserver(Telemetry(CollectorRegistry()), health, Lifeline(1.0))
    line = Pipeline(MemoryStore(settings.zone), ListSink(), settings, lambda: EpochMs(0))

    app = build_app(settings, line, observer, lambda: EpochMs(0))

    assert "subsidywatch.v1" == app.conf.id == settings.kafka.group
    assert AGENTS == {name: agent.get_topic_names()[0] for name, agent in app.agents.items()}


def test_topics_keep_their_names_and_carry_a_version() -> None:
    """What is read, what is decided, and a dead-letter topic for each that is read."""
    read = set(AGENTS.values())

    assert read | OUTPUTS | {f"{topic}.dead" for topic in read} == {spec.name for spec in LAID_OUT}
    assert {f"{topic}.dead" for topic in read} == set(DEAD_TOPICS)
    assert [] == [spec.name for spec in LAID_OUT if not re.fullmatch(r"[a-z]+\.[a-z-]+\.v\d+(\.dead)?", spec.name)]


def test_every_table_of_topics_has_the_same() -> None:
    """Contracts, layout, agents and what is kept whole leave no topic out."""
    batched = [TOPICS[kind] for kind in Kind if kind not in KEPT]

    assert list(TOPICS.values()) == [spec.name for spec in INPUTS] == list(KINDS)
    assert batched == list(BATCHED_AGENTS.values())
    assert {TOPICS[kind] for kind in KEPT} == set(CONTROL_AGENTS.values())


def test_keys_carry_a_version() -> None:
    """What is stored says how to read it."""
    assert "v2" == LAYOUT
