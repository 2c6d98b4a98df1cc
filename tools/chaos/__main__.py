"""`python -m chaos [--rows 1,5,12] [--share 0.2] [--no-report]`: plays the matrix and writes what was seen."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from chaos.matrix import ROWS
from chaos.report import OUTPUT, PAGE, Entry, page, state
from chaos.rows import NotRunError, Scene


def main(arguments: list[str]) -> int:
    """Play rows; gives 1 when one of them is red."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--rows", default=",".join(ROWS), help="numbers of rows, with commas between; all by default")
    parser.add_argument("--share", type=float, default=1.0, help="part of the usual runs of each row, 0 to 1")
    parser.add_argument("--keep", action="store_true", help="keep the folders of green rows as well")
    parser.add_argument("--no-report", action="store_true", help="leave docs/reliability.md as it is")
    options = parser.parse_args(arguments)
    numbers = [number for wanted in options.rows.split(",") for number in _matching(wanted.strip())]
    known: dict[str, Entry] = json.loads(OUTPUT.read_text()) if OUTPUT.exists() else {}
    for number in numbers:
        known[number] = _play(number, options.share, options.keep)
        OUTPUT.parent.mkdir(exist_ok=True)
        OUTPUT.write_text(json.dumps({n: known[n] for n in ROWS if n in known}, indent=1) + "\n")
        print(state(known[number]), flush=True)
    if not options.no_report:
        PAGE.write_text(page(known))
    return int(any(known[number]["verdict"] == "RED" for number in numbers))


def _matching(wanted: str) -> list[str]:
    found = [number for number in ROWS if number == wanted or number.rstrip("ab") == wanted]
    if not found:
        sys.exit(f"there is no row {wanted!r}; take some of {', '.join(ROWS)}")
    return found


def _play(number: str, share: float, keep: bool) -> Entry:
    """Play one row; its folder stays when it is red."""
    row, began = ROWS[number], time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix=f"chaos-{number}-"))
    print(f"row {number}: {row.fault} ... ", end="", flush=True)
    entry = Entry(
        fault=row.fault,
        how=row.how,
        promise=row.promise,
        verdict="RED",
        runs=0,
        lost=0,
        double=0,
        counted=0,
        recovery_s=[],
        target_s=row.target_s,
        notes=[],
        failures=[],
        took_s=0,
        share=share,
    )
    try:
        found = row.play(Scene(folder, None, share))
    except NotRunError as reason:
        entry["verdict"], entry["failures"] = "not run", [str(reason)]
    except (AssertionError, RuntimeError, OSError) as error:
        entry["failures"] = [f"did not come to its end: {error}"]
    else:
        entry["verdict"] = "green" if found.green else "RED"
        entry["runs"], entry["lost"], entry["double"] = found.runs, found.lost, found.double
        entry["counted"], entry["notes"], entry["failures"] = found.counted, found.notes, found.failures
        entry["recovery_s"] = [round(seconds, 2) for seconds in found.recovery_s]
    if entry["verdict"] == "RED":
        entry["notes"] = [*entry["notes"], f"logs in {folder}"]
    elif not keep:
        shutil.rmtree(folder, ignore_errors=True)
    entry["took_s"] = round(time.monotonic() - began)
    return entry


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
