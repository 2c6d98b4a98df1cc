"""Every metric that our processes expose, asked of the processes' own parts over an empty store."""

import asyncio
import re
from collections.abc import Iterator
from typing import NamedTuple

from prometheus_client import CollectorRegistry, generate_latest

from models.units import EpochMs
from streams.gauges import ServeMetrics
from streams.settings import Settings
from streams.store.memory_store import MemoryStore
from streams.telemetry import Telemetry
from streams.web.snapshots import Snapshots

SAMPLES = {"histogram": ("_bucket", "_count", "_sum", "_created"), "counter": ("", "_created"), "gauge": ("",)}


class Exposed(NamedTuple):
    """One metric: the name as exposed, its type, and its help."""

    name: str
    kind: str
    text: str

    @property
    def samples(self) -> set[str]:
        """Names of its samples, as queries spell them."""
        stem = self.name.removesuffix("_total") if self.kind == "counter" else self.name
        return {self.name} | {stem + suffix for suffix in SAMPLES[self.kind] if suffix}


def worker() -> list[Exposed]:
    """Metrics of a worker."""
    registry = CollectorRegistry()
    Telemetry(registry)
    return list(_parsed(generate_latest(registry).decode()))


def serve() -> list[Exposed]:
    """Business gauges of `serve`."""
    settings = Settings()
    snapshots = Snapshots(settings, lambda: EpochMs(0))
    snapshots.attach(MemoryStore(settings.zone))
    text = asyncio.run(ServeMetrics(settings, snapshots).render(0)).decode()
    return list(_parsed(text))


def _parsed(text: str) -> Iterator[Exposed]:
    helps = dict(re.findall(r"^# HELP (\S+) (.*)$", text, re.MULTILINE))
    for name, kind in re.findall(r"^# TYPE (subsidywatch_\S+) (\S+)$", text, re.MULTILINE):
        if not name.endswith("_created"):
            yield Exposed(name, kind, helps[name])
