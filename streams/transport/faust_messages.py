"""What Faust passes around, made to carry slices."""

from collections import defaultdict
from typing import cast

from faust.types import TP, ConsumerMessage

from streams.ports import RecordSlice
from streams.transport.acks import Delivery


class SliceMessage(ConsumerMessage):
    """A Faust message whose value is a `RecordSlice`, with the delivery it settles."""

    __slots__ = ("delivery",)

    def __init__(self, part: RecordSlice, delivery: Delivery) -> None:
        """Give Faust what it looks at: position, time and generation; the offset is the slice's last."""
        tp = TP(*part.tp)
        super().__init__(
            tp.topic,
            tp.partition,
            part.next_offset - 1,
            part.timestamp / 1000,
            0,
            [],
            None,
            cast(bytes, part),
            None,
            0,
            0,
            tp,
            generation_id=part.generation,
        )
        self.delivery = delivery


class NoReadOffsets(defaultdict[TP, int | None]):
    """Faust drops messages below the last offset it read; here the ledger decides, so nothing is remembered."""

    def __init__(self) -> None:
        super().__init__(lambda: None)

    def __setitem__(self, tp: TP, offset: object) -> None:
        """Remember nothing."""

    def __getitem__(self, tp: TP) -> None:
        return None
