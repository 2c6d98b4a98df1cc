"""Valid records as producers write them, and the batch reader's verdict on one."""

import json

from models.codec import decode
from models.events import Kind

CLICK = {
    "event_id": "e1",
    "at": 1_741_500_000_000,
    "region": "440000",
    "campaign_id": "c1",
    "user_id": "u1",
    "spend_micros": 370_000,
}
ORDER = {
    "event_id": "e1",
    "at": 5,
    "region": "440000",
    "order_id": "o1",
    "line": 1,
    "status": "placed",
    "placed_at": 4,
    "quantity": 1,
    "amount_micros": 2_999_000_000,
}
RESULT = {"shift_id": "s", "plan_id": "p", "consumer": "c", "result": "applied", "at": 1}


def raw(body: object) -> bytes:
    """Write JSON as a producer does."""
    return json.dumps(body, ensure_ascii=False).encode()


def with_unknown(value: bytes) -> bytes:
    """Give a valid click with one more field, spelt by hand."""
    return raw(CLICK)[:-1] + b',"x":' + value + b"}"


def reason_of(value: bytes | None, kind: Kind = Kind.CLICKS) -> str | None:
    """Give the verdict on one record by the batch reader; None if it is good."""
    rejects = decode(kind, [value]).rejects
    return rejects[0][1].reason if rejects else None
