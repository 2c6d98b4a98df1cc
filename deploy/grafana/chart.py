"""What one panel is, as a row of a table."""

from typing import Final, NamedTuple

ME: Final = 'job=~"$job",instance=~"$instance"'
"""Bound into every selector, so that a dashboard can be narrowed to one process."""


class Chart(NamedTuple):
    """One panel: `queries` are (expression, legend); `unit` is Grafana's name of it; `width` in 24ths."""

    title: str
    description: str
    kind: str
    unit: str
    width: int
    queries: tuple[tuple[str, str], ...]
