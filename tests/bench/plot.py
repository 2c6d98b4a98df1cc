"""A small plot of CPU per event, one bar an engine, on a logarithmic scale; plain SVG, no library."""

from collections.abc import Sequence
from html import escape
from math import log10
from typing import Final

from report import Row

WIDTH: Final = 760
NAMES: Final = 190
BAR: Final = 16
STEP: Final = 22
OURS: Final = "#0b6e4f"
OTHERS: Final = "#9aa5b1"


def plot(rows: Sequence[Row], titles: dict[str, str]) -> str:
    """Give the SVG of all jobs, one below the other, cheapest engine first."""
    parts: list[str] = []
    y = 8
    for job, title in titles.items():
        shown = sorted(
            ((row.cpu_us_per_event, row) for row in rows if row.job == job and row.cpu_us_per_event),
            key=lambda pair: pair[0],
        )
        if not shown:
            continue
        y += 14
        parts.append(f'<text x="8" y="{y}" font-weight="bold">{escape(title)}</text>')
        y += 8
        low, high = log10(shown[0][0]) - 0.3, log10(shown[-1][0])
        for cost, row in shown:
            length = (log10(cost) - low) / max(high - low, 0.1) * (WIDTH - NAMES - 90)
            colour = OURS if row.engine == "subsidywatch" else OTHERS
            parts.append(f'<text x="{NAMES - 6}" y="{y + 13}" text-anchor="end">{escape(row.engine)}</text>')
            parts.append(f'<rect x="{NAMES}" y="{y}" width="{length:.0f}" height="{BAR}" fill="{colour}"/>')
            parts.append(f'<text x="{NAMES + length + 6:.0f}" y="{y + 13}">{cost:.2f} us</text>')
            y += STEP
        y += 10
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" viewBox="0 0 {WIDTH} {y}"'
    style = 'font-family="sans-serif" font-size="12" fill="#1f2933"'
    back = f'<rect width="{WIDTH}" height="{y}" fill="#ffffff"/>'
    return f"{head} {style}>\n{back}\n" + "\n".join(parts) + "\n</svg>\n"
