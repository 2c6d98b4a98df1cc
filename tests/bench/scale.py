"""What an event costs when partitions and workers grow: 1, 2 and 4 partitions for one worker, then two workers.

Run: `make bench ARGS=--scale`. Two workers share the engine's core here, so
their CPU per event is what counts, not their rate.
"""

import tempfile
from pathlib import Path
from typing import Final

import product
import redis
from measure import Run
from stand import stand

CASES: Final = ((1, 1), (2, 1), (4, 1), (4, 2))
"""Partitions of each topic, workers."""
RUNS: Final = 3


def scale(events: int) -> list[dict[str, object]]:
    """Drain the same events in every case; print and give cost, and what Redis holds afterwards."""
    rows: list[dict[str, object]] = []
    for partitions, workers in CASES:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder, stand(Path(folder)) as place:
            truth = product.fill(place, events, partitions=partitions)
            runs = [
                product.drain(place, truth, Path(folder), f"scale.{number}", workers=workers) for number in range(RUNS)
            ]
            with redis.Redis.from_url(place.server.url) as client:
                memory = client.info("memory")["used_memory"]
                server_s = client.info("cpu")["used_cpu_user"] + client.info("cpu")["used_cpu_sys"]
        rows.append(_row(partitions, workers, runs, memory, server_s))
        print("scale", rows[-1], flush=True)
    return rows


def _row(partitions: int, workers: int, runs: list[Run], memory: int, server_s: float) -> dict[str, object]:
    good = sorted((run for run in runs if not run.note), key=lambda run: run.cpu_us)
    middle = good[len(good) // 2] if good else None
    return {
        "partitions": partitions,
        "workers": workers,
        "events": runs[0].events,
        "cpu_us_per_event": round(middle.cpu_us, 2) if middle else None,
        "events_per_s": round(middle.rate) if middle else None,
        "worker_mb": round(middle.peak_mb) if middle else None,
        "redis_mb": round(memory / 2**20, 1),
        "redis_us_per_event": round(server_s / len(runs) / runs[0].events * 1e6, 2),
        "note": "; ".join(sorted({run.note for run in runs if run.note})),
    }
