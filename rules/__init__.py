"""Verbs: pure decisions over models.

The tables that settings and responses look things up in stand here, so that a
contract and its implementations never import each other in a circle. A new
detector or rule is one file and one row.
"""

from typing import Final

from rules import planning, shiryaev_roberts
from rules.detector import Detector
from rules.planning import Rule

DETECTORS: Final[dict[str, Detector]] = {
    "shiryaev_roberts": Detector(step=shiryaev_roberts.step, settle=shiryaev_roberts.settle),
}
"""Detectors by the name that `detector.kind` takes."""

RULES: Final[dict[str, Rule]] = {
    "split_by_value": planning.split_by_value,
}
"""Rules that plan, by the name that `allocator.rule` takes."""
