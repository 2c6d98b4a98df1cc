"""How the log is cut into slices changes no total, no verdict and no line."""

from collections import Counter
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from models.codec import Decoded
from models.events import Kind
from models.fold import Folded, Folder
from models.lateness import KEPT_BY_ALL, LATE_BY, kept_by
from models.orders import Eligibility
from models.units import DAY_MS, DurationMs, EpochMs
from models.visits import Known
from models.windows import BucketRef, Scope, buckets_of, is_kept
from models.wire import WireClick, WireOrder

ZONE = ZoneInfo("Asia/Shanghai")
FOLDER = Folder(ZONE, DurationMs(300_000), Eligibility("phone", 6_000_000_000))
NOW = EpochMs(1_741_500_000_000)
HOURS = 3_600_000
TIMES = st.builds(
    lambda base, jitter: NOW - base + jitter,
    st.sampled_from([0, 0, 0, 3 * HOURS, 26 * HOURS, 72 * HOURS, 39 * DAY_MS, 41 * DAY_MS, 60 * DAY_MS]),
    st.integers(-90_000, 400_000),
)
REGIONS = st.sampled_from(["110000", "440000", "unknown"])
CAMPAIGNS = st.sampled_from(["c1", "c:2"])
CLICKS = st.lists(
    st.builds(
        WireClick,
        event_id=st.just("e"),
        at=TIMES,
        region=REGIONS,
        campaign_id=CAMPAIGNS,
        user_id=st.just("u"),
        spend_micros=st.integers(0, 3),
    ),
    max_size=12,
)
ORDERS = st.lists(
    st.builds(
        WireOrder,
        event_id=st.sampled_from(["e1", "e2", "e3"]),
        at=TIMES,
        region=REGIONS,
        order_id=st.sampled_from(["o1", "o2"]),
        line=st.just(1),
        status=st.sampled_from(["placed", "paid", "cancelled", "refunded"]),
        placed_at=TIMES,
        quantity=st.just(1),
        amount_micros=st.integers(0, 3),
        paid_micros=st.integers(0, 3),
        refund_micros=st.integers(0, 3),
        subsidy_micros=st.none() | st.integers(0, 1),
        campaign_id=st.none() | CAMPAIGNS,
    ),
    max_size=12,
)
AMOUNTS: dict[str, object] = {"amount_micros": 3, "paid_micros": 2, "refund_micros": 1}
AGREED: dict[str, dict[str, object]] = {
    "o1": AMOUNTS | {"at": NOW, "placed_at": NOW, "region": "440000", "campaign_id": "c1", "subsidy_micros": 1},
    "o2": AMOUNTS | {"at": NOW, "placed_at": NOW - 500, "region": "110000", "campaign_id": None, "subsidy_micros": 0},
}
"""What the records of a line agree on."""

CUTS = st.lists(st.integers(0, 12), max_size=4)
Flat = Counter[tuple[object, ...]]


def flat(folded: Folded) -> Flat:
    """Spread what is added to one count per bucket and field, or per bucket, member and position."""
    counts = [(key, name, amount) for key, fields in folded.deltas.items() for name, amount in fields.items()]
    vectors = [(key, name, amounts) for key, fields in folded.vectors.items() for name, amounts in fields.items()]
    sums = {(key, name): amount for key, name, amount in counts}
    return Counter(sums | {(key, name, at): part for key, name, amounts in vectors for at, part in enumerate(amounts)})


def cut(count: int, cuts: list[int]) -> list[range]:
    """Cut `count` records into slices, empty ones included."""
    edges = [0, *sorted(min(edge, count) for edge in cuts), count]
    return [range(first, after) for first, after in pairwise(edges)]


class Log:
    """Sums up the results of slices, as a store would."""

    def __init__(self) -> None:
        """Start with an empty store."""
        self.head: EpochMs | None = None
        self.sums: Flat = Counter()
        self.lines: dict[tuple[EpochMs, str], str] = {}
        self.rejects: list[tuple[int, str]] = []

    def add(self, part: range, folded: Folded) -> None:
        """Apply one slice."""
        self.head = folded.head
        self.sums.update(flat(folded))
        self.sums.update({("tally", name): count for name, count in folded.tallies.items()})
        for second, regions in folded.evidence.items():
            for region, (eligible, subsidised) in regions.items():
                self.sums.update({(second, region, "eligible"): eligible, (second, region, "subsidised"): subsidised})
        for swap in folded.lines:
            assert swap.old == self.lines.get((swap.day, swap.key))
            self.lines[swap.day, swap.key] = swap.new
        self.rejects += [(part[index], verdict.reason) for index, verdict in folded.rejects]

    def result(self) -> tuple[object, ...]:
        """Give everything that was stored and is still kept."""
        kept = {name: count for name, count in self.sums.items() if count and self._is_kept(name[0])}
        return self.head, kept, self.lines, self.rejects

    def _is_kept(self, key: object) -> bool:
        return not isinstance(key, BucketRef) or is_kept(key.scope, key.bucket, self.head or NOW, ZONE)


def lateness_class(kind: str, lag: int) -> str:
    """Name the tally of a record this far behind the newest; empty for one in time."""
    reached = [name for name, least in LATE_BY if lag >= least]
    return f"late_by:{kind}:{reached[-1]}" if reached else ""


def run_clicks(clicks: list[WireClick], cuts: list[int]) -> Log:
    """Fold a log of clicks slice by slice."""
    log = Log()
    for part in cut(len(clicks), cuts):
        events = [clicks[index] for index in part]
        decoded = Decoded(events, range(len(events)), ())
        log.add(part, FOLDER.fold_ads(Kind.CLICKS, decoded, log.head, NOW))
    return log


def run_orders(orders: list[WireOrder], cuts: list[int]) -> Log:
    """Fold a log of orders slice by slice."""
    log = Log()
    for part in cut(len(orders), cuts):
        events = [orders[index] for index in part]
        known = Known(lines={line: log.lines.get(line) for line in FOLDER.line_ids(events)})
        log.add(part, FOLDER.fold_orders(Decoded(events, range(len(events)), ()), known, log.head, NOW))
    return log


@given(CLICKS, CUTS)
def test_the_cut_of_a_click_log_changes_nothing(clicks: list[WireClick], cuts: list[int]) -> None:
    """One slice or many: same totals, verdicts, tallies and head."""
    assert run_clicks(clicks, []).result() == run_clicks(clicks, cuts).result()


@given(ORDERS, CUTS)
def test_the_cut_of_an_order_log_changes_nothing(orders: list[WireOrder], cuts: list[int]) -> None:
    """One slice or many: same totals, evidence, lines, verdicts, tallies and head."""
    assert run_orders(orders, []).result() == run_orders(orders, cuts).result()


@given(CLICKS)
def test_clicks_add_up_to_what_is_defined_record_by_record(clicks: list[WireClick]) -> None:
    """The fast way equals the slow one: each record, each scope, each level, kept or not."""
    expected: Flat = Counter()
    rejects = []
    head = EpochMs(0)
    for index, event in enumerate(clicks):
        at, known = EpochMs(event.at), max(head, EpochMs(event.at))
        kept = kept_by(at, known, ZONE)
        if at > NOW + FOLDER.max_future_ms or not kept:
            rejects.append((index, "too_old" if at <= NOW else "future"))
            continue
        expected["tally", lateness_class("clicks", max(head, known) - at)] += 1
        head = known
        members = (event.region, event.campaign_id, f"{event.region}:{event.campaign_id}")
        for scope, member in zip(Scope, members, strict=True):
            for bucket in buckets_of(at, ZONE):
                if is_kept(scope, bucket, head, ZONE):
                    key = BucketRef(scope, bucket)
                    expected[key, f"clicks:{member}"] += 1
                    expected[key, f"spend_micros:{member}"] += event.spend_micros
        expected["tally", "accepted:clicks"] += 1
        expected["tally", "late:clicks"] += kept != KEPT_BY_ALL
    expected.update(("tally", f"rejected:clicks:{reason}") for _, reason in rejects)
    del expected["tally", ""]
    last = Log()
    last.head, last.sums = head or None, expected
    left = last.result()[1]

    assert (head or None, left, {}, rejects) == run_clicks(clicks, []).result()


@given(ORDERS, st.data())
def test_orders_of_one_day_may_arrive_in_any_order(orders: list[WireOrder], data: st.DataObject) -> None:
    """While nothing is late, the totals of lines whose records agree do not depend on arrival."""
    agreed = [structs.replace(order, **AGREED[order.order_id]) for order in orders]
    shuffled = data.draw(st.permutations(agreed))

    assert run_orders(agreed, []).result() == run_orders(shuffled, []).result()
