"""`wave-31`: repeatable, answering to budgets, and true to what it says about itself."""

from collections import Counter

import pytest

from models.codec import judge
from models.events import KINDS
from models.scenario.emitted import ANNOUNCEMENTS, CLICKS, ORDERS, Emitted
from models.scenario.ledger import Ledger
from models.scenario.market import PRICE_CAP_MICROS
from models.scenario.waves import on_schedule
from models.scenario.world import START, World
from models.totals import Totals
from models.units import DAY_MS, MINUTE_MS, EpochMs, Region


def run(world: World, minutes: int, budgets: dict[str, int] | None = None) -> list[Emitted]:
    """Give everything that arrives in the first minutes."""
    out = world.opening()
    for number in range(minutes):
        out.extend(world.step(EpochMs(START + number * MINUTE_MS), budgets))
    return out


def test_same_seed_same_records() -> None:
    """Two worlds of one seed emit the same records in the same order."""
    assert run(World(3, rate=10), 30) == run(World(3, rate=10), 30)


def test_another_seed_is_another_world() -> None:
    """Seeds differ in more than their names."""
    one, two = (World(seed, rate=10).truth(EpochMs(START + 14 * DAY_MS)) for seed in (1, 2))

    assert one.switches != two.switches


def test_a_longer_run_begins_with_the_same_turns() -> None:
    """The length of a run does not change its beginning."""
    end = EpochMs(START + 5 * DAY_MS)

    assert World(4, days=5).truth(end) == World(4, days=14).truth(end)


def test_budget_of_one_region_leaves_the_others_alone() -> None:
    """Other regions emit the same records, whatever this region is given."""
    rich = run(World(5, rate=20), 40, {"phone-440000": 10**12})
    poor = run(World(5, rate=20), 40, {"phone-440000": 0})

    others = [[record for record in records if record.body["region"] != "440000"] for records in (rich, poor)]

    assert others[0] == others[1]
    assert rich != poor


def test_more_money_buys_more_and_dearer_clicks() -> None:
    """Doubling a budget gives more clicks, but less than twice as many."""
    world = World(6, rate=30)
    base = world.budgets["phone-440000"]

    def clicks(factor: int) -> Totals:
        ledger = Ledger()
        for record in run(World(6, rate=30), 60, {"phone-440000": base * factor}):
            ledger.add(record)
        return ledger.totals("campaign")["phone-440000"]

    one, four = clicks(1), clicks(4)

    assert one.clicks < four.clicks < 4 * one.clicks
    assert one.spend_micros / one.clicks < four.spend_micros / four.clicks


def test_every_record_keeps_its_contract() -> None:
    """What the world emits is valid, ids are unique per topic, and nothing arrives before it happens."""
    import json

    records = run(World(7, rate=20), 60)
    for record in records:
        judge(KINDS[record.topic], json.dumps(record.body).encode())
    ids = {(record.topic, record.body["event_id"]) for record in records}

    assert len(records) == len(ids)
    assert all(record.arrival >= int(str(record.body["at"])) for record in records)
    assert records == sorted(records, key=lambda record: record.arrival)


def test_truth_alternates_and_agrees_with_the_state() -> None:
    """Each region's switches alternate from its first state, and the state at any switch is what the switch says."""
    world = World(8)
    truth = world.truth(EpochMs(START + 14 * DAY_MS))
    state = dict(truth.initially_on)

    for switch in truth.switches:
        assert switch.was_on == state[switch.region]
        assert switch.is_on != switch.was_on
        assert world.is_on(switch.region, switch.at) == switch.is_on
        state[switch.region] = switch.is_on

    assert len(truth.switches) > 31


def test_quota_hours_are_truth_too() -> None:
    """A region with quota hours switches at 08:30 and 22:00 in Shanghai on days when it is on."""
    truth = World(1).truth(EpochMs(START + 14 * DAY_MS))
    region = truth.quota_hours[0]

    clock = {(switch.at + 8 * 3_600_000) % DAY_MS // MINUTE_MS for switch in truth.switches if switch.region == region}

    assert {510, 1320} <= clock


def test_announcements_come_late() -> None:
    """A turn is announced a quarter of an hour after it took effect, and never before."""
    world = World(2, rate=0.1, days=2)
    records = run(world, 1440)
    late = [
        int(str(record.body["at"])) - int(str(record.body["effective_at"]))
        for record in records
        if record.topic == ANNOUNCEMENTS
    ]

    assert {0, 15 * MINUTE_MS} == set(late)


def test_no_feed_no_announcements() -> None:
    """Without a feed only orders tell."""
    assert [] == [record for record in World(1, feed_delay_ms=None).opening() if record.topic == ANNOUNCEMENTS]


def test_a_later_begin_changes_nothing_that_happens() -> None:
    """Played from a later minute, a world emits nothing but what it emits when played from its start."""
    begin = EpochMs(START + 60 * MINUTE_MS)
    whole = run(World(2, rate=4), 90)
    late = World(2, rate=4, begin=begin)
    late.recall(30)
    opened = late.opening()
    played = [record for number in range(30) for record in late.step(EpochMs(begin + number * MINUTE_MS))]
    known = {(record.topic, record.body["event_id"]): record for record in whole}

    assert played
    assert all(known[record.topic, record.body["event_id"]] == record for record in played)
    assert {begin} == {record.arrival for record in opened}
    assert all(int(str(record.body.get("placed_at", record.body["at"]))) >= begin for record in played)


def test_remembered_clicks_lead_to_orders() -> None:
    """A world that remembers half an hour begins with more orders, and with no other clicks."""
    begin = EpochMs(START + 60 * MINUTE_MS)
    fresh, remembering = World(2, rate=40, begin=begin), World(2, rate=40, begin=begin)
    remembering.recall(30)
    minutes = [EpochMs(begin + number * MINUTE_MS) for number in range(5)]

    def count(world: World) -> Counter[str]:
        return Counter(record.topic for minute in minutes for record in world.step(minute))

    without, with_memory = count(fresh), count(remembering)

    assert with_memory[ORDERS] > without[ORDERS]
    assert with_memory[CLICKS] == without[CLICKS]


def test_a_later_begin_tells_the_state_of_that_time() -> None:
    """What is announced at the begin is true then; turns before it are not announced again, later ones are."""
    begin = EpochMs(START + 3 * DAY_MS + 240 * MINUTE_MS)
    whole, late = World(5), World(5, begin=begin)
    states = {record.body["region"]: record.body["state"] for record in late.opening() if record.topic == ANNOUNCEMENTS}
    end = EpochMs(START + 6 * DAY_MS)
    truth = late.truth(end)

    assert {region: whole.is_on(region, begin) for region in truth.initially_on} == truth.initially_on
    assert truth.initially_on == {region: state != "off" for region, state in states.items()}
    assert truth.switches == tuple(switch for switch in whole.truth(end).switches if switch.at > begin)


def test_quota_hours_turn_on_schedule() -> None:
    """Half past eight and ten in the evening are the announced hours, inclusive."""
    opens, closes = EpochMs(START + 30 * MINUTE_MS), EpochMs(START + 14 * 60 * MINUTE_MS)

    assert [True, True, False] == [on_schedule(opens), on_schedule(closes), on_schedule(EpochMs(opens + 1))]


def test_subsidies_follow_the_truth_and_the_price() -> None:
    """Seven in ten eligible orders carry a subsidy where it is on, one in fifty where it is off, none above the cap."""
    world = World(9, rate=40)
    share = {True: [0, 0], False: [0, 0]}
    for record in run(world, 300):
        body = record.body
        if record.topic != ORDERS or body["status"] != "placed" or body["gift"] or body["subsidy_micros"] is None:
            continue
        if int(str(body["unit_price_micros"])) > PRICE_CAP_MICROS:
            assert body["subsidy_micros"] == 0
            continue
        on = world.is_on(Region(str(body["region"])), EpochMs(int(str(body["placed_at"]))))
        share[on][0] += 1
        share[on][1] += body["subsidy_micros"] > 0  # type: ignore[operator]

    assert pytest.approx(0.70, abs=0.05) == share[True][1] / share[True][0]
    assert pytest.approx(0.02, abs=0.015) == share[False][1] / share[False][0]


def test_rates_of_a_day_are_near_the_figures_they_follow() -> None:
    """CPC, orders per click, unpaid share, and total over direct value lie where the published figures lie."""
    ledger = Ledger()
    for record in run(World(10, rate=30, days=1), 180):
        ledger.add(record)
    whole = Totals.sum(ledger.totals("region").values())

    assert 0.32 < whole.spend_micros / whole.clicks / 1e6 < 0.62
    assert 1.4 < whole.total_gmv_micros / whole.direct_gmv_micros < 2.2
    assert 0.80 < whole.orders_paid / whole.orders_placed < 0.92
    assert whole.impressions > 5 * whole.clicks


def test_few_orders_name_their_click_and_the_others_have_one() -> None:
    """A named click is the user's; most orders name none, and still the user has clicked before; some never did."""
    records = run(World(11, rate=60, impressions_per_click=0), 60)
    clicks = {record.body["event_id"]: record.body for record in records if record.topic == CLICKS}
    first: dict[str, int] = {}
    for body in clicks.values():
        who, at = str(body["user_id"]), int(str(body["at"]))
        first[who] = min(at, first.get(who, at))
    orders = [record.body for record in records if record.topic == ORDERS and record.body["status"] == "placed"]
    led = [body for body in orders if str(body["order_id"]).split(".")[-2].startswith("c")]
    named = [body for body in led if body.get("click_id")]

    assert pytest.approx(0.15, abs=0.05) == len(named) / len(led)
    for body in named:
        click = clicks[body["click_id"]]
        assert (click["user_id"], click["campaign_id"]) == (body["user_id"], body["campaign_id"])
    assert all(first[str(body["user_id"])] <= int(str(body["placed_at"])) for body in led)
    assert len(led) < len(orders)


def test_people_come_back_and_buy_elsewhere() -> None:
    """Some people click more than once, and some of those buy in another region than they click in."""
    records = run(World(12, rate=60, impressions_per_click=0), 120)
    clicks = Counter(str(record.body["user_id"]) for record in records if record.topic == CLICKS)
    homes = {str(record.body["user_id"]): record.body["region"] for record in records if record.topic == CLICKS}
    away = [
        record
        for record in records
        if record.topic == ORDERS and homes.get(str(record.body["user_id"]), "") not in ("", record.body["region"])
    ]

    assert {who[0] for who, count in clicks.items() if count > 2} == {"r"}
    assert max(clicks.values()) < 20
    assert away
