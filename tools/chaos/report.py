"""`docs/reliability.md` and the lines printed meanwhile, from what the rows found."""

import statistics
from pathlib import Path
from typing import Final, TypedDict

from chaos.matrix import ROWS

ROOT: Final = Path(__file__).resolve().parents[2]
OUTPUT: Final = ROOT / ".run/chaos.json"
PAGE: Final = ROOT / "docs/reliability.md"
TEXT: Final = Path(__file__).with_name("promises.md")


class Entry(TypedDict):
    """What `.run/chaos.json` says of one row."""

    fault: str
    how: str
    promise: str
    verdict: str
    runs: int
    lost: int
    double: int
    counted: int
    recovery_s: list[float]
    target_s: float | None
    notes: list[str]
    failures: list[str]
    took_s: int
    share: float


def state(entry: Entry) -> str:
    """Give one line for the terminal."""
    said = "; ".join(entry["failures"]) or "; ".join(entry["notes"])
    counts = f"{entry['runs']} runs, lost {entry['lost']}, double {entry['double']}"
    return f"{entry['verdict']} in {entry['took_s']} s: {counts}, recovery {_recovery(entry)}. {said}"


def page(known: dict[str, Entry]) -> str:
    """Give the whole page."""
    rows = [_row(number, known.get(number)) for number in ROWS]
    details = [line for number in ROWS if number in known for line in _details(number, known[number])]
    verdicts = [known[number]["verdict"] if number in known else "not run" for number in ROWS]
    sums = ", ".join(f"{verdicts.count(name)} {name}" for name in ("green", "RED", "not run") if name in verdicts)
    table = "\n".join((HEAD, *rows))
    return TEXT.read_text().replace("{sums}", sums).replace("{table}", table).replace("{details}", "\n".join(details))


HEAD: Final = (
    "| # | fault | how injected | must hold | runs | lost | double | recovery, median and worst | verdict |\n"
    "| --- | --- | --- | --- | ---: | ---: | ---: | --- | --- |"
)


def _row(number: str, entry: Entry | None) -> str:
    row = ROWS[number]
    cells = [number, row.fault, row.how, row.promise]
    if entry is None:
        return f"| {' | '.join(cells)} | 0 | - | - | - | not run: not asked for |"
    if entry["verdict"] == "not run":
        return f"| {' | '.join(cells)} | 0 | - | - | - | not run: {'; '.join(entry['failures'])} |"
    lost = f"{entry['lost']}" + (f" ({entry['counted']} counted)" if entry["counted"] else "")
    figures = [str(entry["runs"]), lost, str(entry["double"]), _recovery(entry), entry["verdict"]]
    return f"| {' | '.join(cells)} | {' | '.join(figures)} |"


def _recovery(entry: Entry) -> str:
    times = entry["recovery_s"]
    if not times:
        return "-"
    text = f"{statistics.median(times):.1f} s, {max(times):.1f} s"
    if entry["target_s"] is None:
        return text
    met = "met" if max(times) <= entry["target_s"] else "not met"
    return f"{text} (goal {entry['target_s']:g} s: {met})"


def _details(number: str, entry: Entry) -> list[str]:
    notes = [note for note in entry["notes"] if not note.startswith("logs in ")]
    failed = [f"not so: {failure}" for failure in entry["failures"]] if entry["verdict"] == "RED" else []
    size = [f"played at {entry['share']:.0%} of its size"] if entry["share"] < 1 else []
    said = [*size, *failed, *notes]
    return [f"- Row {number}: {'; '.join(said)}."] if said else []
