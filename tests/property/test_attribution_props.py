"""The totals follow from the set of records: from no order, no cut and no interleaving of them."""

import json
from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from cases.crediting import Books, T, click, order
from models.attribution import Attribution, Halo
from models.codec import encode
from models.units import DAY_MS, HOUR_MS, DurationMs
from models.wire import WireClick, WireOrder
from oracle import Cells, Terms, count

Records = list[WireClick | WireOrder]
REGIONS = st.sampled_from(["310000", "440000", "unknown"])
CAMPAIGNS = st.sampled_from(["c1", "c:2", "c3"])
SKUS, BRANDS = st.sampled_from([None, "s1", "s2"]), st.sampled_from([None, "b1", "b2"])
CATEGORIES = st.sampled_from([None, "phone", "tv"])
USERS = st.sampled_from(["u1", "u1", "u1", "u2"])
MONEY = st.integers(0, 5)
PLACED = st.sampled_from([0, 1, 60_000, HOUR_MS, 11 * HOUR_MS, 12 * HOUR_MS, 20 * HOUR_MS])
WINDOWS = (1, 15)
NEAR_EDGES = [days * DAY_MS + step for days in (0, *WINDOWS) for step in (-1, 0, 1)]
AGES = st.sampled_from(NEAR_EDGES) | st.sampled_from([0, 1, 5_000, 5 * HOUR_MS, 14 * HOUR_MS, 3 * DAY_MS, 16 * DAY_MS])
HALOS: st.SearchStrategy[Halo] = st.sampled_from(["shop", "brand_category", "none"])
PROMOTED = {"c1": ("s1",), "c3": ()}


@st.composite
def clicks(draw: st.DrawFn) -> list[WireClick]:
    """Draw clicks around the times that lines are placed at; equal times are likely, ids are unique."""
    found = draw(st.lists(st.tuples(USERS, REGIONS, CAMPAIGNS, SKUS, CATEGORIES, PLACED, AGES), max_size=6))
    return [
        click(T + placed - age, f"k{10 - n}", user_id=user, region=region, campaign_id=campaign, sku=sku, category=kind)
        for n, (user, region, campaign, sku, kind, placed, age) in enumerate(found)
    ]


@st.composite
def line(draw: st.DrawFn, number: int) -> list[WireOrder]:
    """Draw the records of one line: some statuses, up to two refunds."""
    common: dict[str, object] = {"order_id": f"o{number}", "placed_at": T + draw(PLACED), "region": draw(REGIONS)}
    common |= {"user_id": draw(st.sampled_from(["u1", "u1", "u1", "u2", None]))}
    common |= {"campaign_id": draw(st.sampled_from([None] * 6 + ["c1", "c:2"]))}
    common |= {"sku": draw(SKUS), "brand": draw(BRANDS), "category": draw(CATEGORIES), "amount_micros": draw(MONEY)}
    common |= {"gift": draw(st.sampled_from([False] * 5 + [True])), "halo": draw(st.booleans())}
    common |= {"subsidy_micros": draw(st.none() | MONEY), "paid_micros": draw(MONEY)}
    statuses = draw(st.lists(st.sampled_from(["placed", "placed", "paid", "cancelled", "refunded"]), max_size=4))
    made = []
    for part, status in enumerate(statuses):
        at = T + draw(PLACED) if status == "placed" else T + 20 * HOUR_MS + draw(st.integers(0, 3 * HOUR_MS))
        made.append(structs.replace(order(status), **common, at=at, event_id=f"e{part}", refund_micros=draw(MONEY)))
    return made


LINES = st.integers(0, 4).flatmap(lambda number: st.tuples(*(line(each) for each in range(number))))


@st.composite
def settings(draw: st.DrawFn) -> tuple[Attribution, Terms]:
    """Draw the same settings for the fold and for the oracle."""
    days, halo = draw(st.sampled_from(WINDOWS)), draw(HALOS)
    brand, cap = draw(BRANDS), draw(st.sampled_from([1, 3, 10]))
    ours = Attribution(window_ms=DurationMs(days * DAY_MS), halo=halo, brand=brand, cap_micros=cap)
    return ours, Terms(window_days=days, halo=halo, brand=brand, cap_micros=cap, duplicate_window=0)


def counted(records: Records, terms: Terms) -> Cells:
    """Count as the oracle does."""
    campaigns = [json.dumps({"campaign_id": name, "version": 1, "skus": skus}) for name, skus in PROMOTED.items()]
    logs = {
        ("ads.clicks.v1", 0): [encode(record) for record in records if isinstance(record, WireClick)],
        ("shop.orders.v1", 0): [encode(record) for record in records if isinstance(record, WireOrder)],
        ("ads.campaigns.v1", 0): [campaign.encode() for campaign in campaigns],
    }
    return count(logs, terms)


def run(records: Records, edges: set[int], ours: Attribution) -> Books:
    """Fold records in this order; a slice ends where the topic changes, and before each of the edges."""
    books = Books(ours, PROMOTED)
    slices = groupby(
        enumerate(records), lambda item: (isinstance(item[1], WireClick), sum(edge <= item[0] for edge in edges))
    )
    for _, group in slices:
        part = [record for _, record in group]
        books.clicks(*(record for record in part if isinstance(record, WireClick)))
        books.orders(*(record for record in part if isinstance(record, WireOrder)))
    return books


@given(clicks(), LINES, settings(), st.sets(st.integers(0, 20), max_size=6), st.data())
def test_any_interleaving_counts_what_the_set_of_records_says(
    visits: list[WireClick],
    lines: tuple[list[WireOrder], ...],
    terms: tuple[Attribution, Terms],
    edges: set[int],
    data: st.DataObject,
) -> None:
    """Whatever comes first, however it is cut, with copies of anything: to the last micro what the oracle counts."""
    records: Records = [*visits, *(record for line in lines for record in line)]
    copies = data.draw(st.lists(st.sampled_from(records), max_size=4)) if records else []
    arrival = data.draw(st.permutations(records + copies))
    books = run(arrival, edges, terms[0])

    assert books.kept(counted(arrival, terms[1])) == books.cells()
    assert not books.tallies.keys() & {"late:attribution", "forgotten:clicks", "forgotten:lines"}
