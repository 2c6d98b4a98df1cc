"""Verbs: pure decisions over models.

`DETECTORS` is the table a settings value is looked up in. It stands here so
that the contract and its implementations never import each other in a circle.
"""

from typing import Final

from rules import shiryaev_roberts
from rules.detector import Detector

DETECTORS: Final[dict[str, Detector]] = {
    "shiryaev_roberts": Detector(step=shiryaev_roberts.step, settle=shiryaev_roberts.settle),
}
"""Detectors by the name that `detector.kind` takes."""
