"""The measured part of `docs/performance.md`: written between two comments of the page by `make bench ARGS=--docs`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from report import Row

BEGIN: Final = "<!-- bench: begin, written by make bench -->"
END: Final = "<!-- bench: end -->"
TITLES: Final = {
    "J1": "J1: Yahoo Streaming Benchmark, CPU per event (log scale)",
    "J2": "J2: rolling hour by minute, CPU per event (log scale)",
    "J3": "J3: the whole product, CPU per event (log scale)",
}


def write(page: Path, rows: Sequence[Row], latency: Sequence[Mapping[str, object]], stages: str) -> None:
    """Put the tables between the page's comments."""
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    body = "\n\n".join(part for part in (*_jobs(rows), _stages(stages), _latency(latency)) if part)
    page.write_text(f"{before}{BEGIN}\n\n{body}\n\n{END}{after}", encoding="utf-8")


def write_scale(page: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Put what more partitions and workers cost between the page's comments, and what a million events/s would need."""
    text = page.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    names = {
        "partitions": "partitions of a topic",
        "workers": "workers",
        "cpu_us_per_event": "workers' CPU us per event (c)",
        "events_per_s": "events/s",
        "worker_mb": "worker's memory, MB",
        "redis_us_per_event": "Redis' CPU us per event (r)",
        "redis_mb": "Redis' memory, MB",
        "note": "note",
    }
    lines = [f"| {' | '.join(names.values())} |", f"|{' ---: |' * (len(names) - 1)} --- |"]
    lines += [f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows]
    costs = [(row["cpu_us_per_event"], row["redis_us_per_event"]) for row in rows if row["cpu_us_per_event"]]
    if costs:
        cost, redis = (float(str(value)) for value in costs[-1])
        need = f"{cost / 0.7:.0f} workers (cores) and {redis / 0.7:.0f} Redis masters"
        lines += [
            "",
            f"By the last row, 1,000,000 events/s take {need},",
            "by the formulas below. Cells are mostly written once per slice, so r falls as slices grow.",
        ]
    page.write_text(f"{before}{BEGIN}\n\n" + "\n".join(lines) + f"\n\n{END}{after}", encoding="utf-8")


def _jobs(rows: Sequence[Row]) -> list[str]:
    parts = []
    for job, title in TITLES.items():
        mine = [row for row in rows if row.job == job]
        if not mine:
            continue
        ours = next((row.cpu_us_per_event for row in mine if row.engine == "subsidywatch"), None)
        lines = [
            f"### {title.split(',')[0]}",
            "",
            "| engine | version | events a run | CPU per event, drain | against ours | events/s | note |",
            "| --- | --- | ---: | ---: | ---: | ---: | --- |",
        ]
        for row in sorted(mine, key=lambda row: row.cpu_us_per_event or float("inf")):
            cost, ratio, rate = "-", "-", "-"
            if row.cpu_us_per_event:
                cost = f"{row.cpu_us_per_event:.2f} us"
                ratio = f"{row.cpu_us_per_event / ours:.2f}x" if ours else "-"
                rate = f"{row.events_per_s:,}"
            note = row.note.replace("\n", " ").replace("|", "/")[:200]
            lines.append(f"| {row.engine} | {row.version} | {row.events:,} | {cost} | {ratio} | {rate} | {note} |")
        parts.append("\n".join(lines))
    return parts


def _stages(table: str) -> str:
    return f"### Stages of J3\n\n```\n{table}\n```" if table else ""


def _latency(rows: Sequence[Mapping[str, object]]) -> str:
    if not rows:
        return ""
    lines = [
        "### Latency: append to visible in Redis",
        "",
        "| load | events/s offered | p50 | p99 | behind at the end |",
    ]
    lines.append("| --- | ---: | ---: | ---: | ---: |")
    for row in rows:
        share = float(str(row["share"]))
        lines.append(f"| {share:.0%} of J3 | {row['rate']:,} | {row['p50_s']} s | {row['p99_s']} s | {row['lag']:,} |")
    return "\n".join(lines)
