"""`wave-31`: 31 provinces whose subsidy comes and goes, answering to the budgets it is given.

A world is stepped minute by minute. It answers to budgets: more money in a
region buys more clicks there, each dearer than the last. Same seed, start,
rate and budgets give the same records, and the budget of one region changes
nothing in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from random import Random
from typing import Final

from models.scenario import market, shop
from models.scenario.draws import poisson, substream
from models.scenario.emitted import Emitted
from models.scenario.market import Plan, Product, RegionMarket
from models.scenario.records import Traffic, announcement, campaign, returning, user
from models.scenario.waves import ZONE_MS, Switch, Wave, waves
from models.units import HOUR_MS, MINUTE_MS, EpochMs, Region

NAME: Final = "wave-31"
START: Final = EpochMs(1_748_822_400_000)
"""2025-06-02 08:00 in Shanghai: half an hour before quota hours open."""

FEED_DELAY_MS: Final = 15 * MINUTE_MS
NAMED: Final = 0.15
"""Share of the orders of clicks whose channel names campaign and click; the others tell only who bought."""

_AT_HOME: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What really happened while a world was played: the state at `start` and the switches in `(start, end)`."""

    start: EpochMs
    end: EpochMs
    initially_on: Mapping[Region, bool]
    quota_hours: tuple[Region, ...]
    switches: tuple[Switch, ...]


class World:
    """A market of 31 provinces in event time.

    Call `opening` once, then `step` for consecutive minutes from `begin` on. A
    world that begins later than it starts has the same turns, and of the same
    budgets nothing happens in it that does not happen in one played from its start.

    Attributes:
        begin: first minute that is played.
        plans: the campaigns with their starting budgets.
        budgets: those budgets, campaign id to micros a day.
    """

    def __init__(
        self,
        seed: int,
        start: EpochMs = START,
        *,
        days: int = 14,
        rate: float = market.FULL_RATE,
        feed_delay_ms: int | None = FEED_DELAY_MS,
        begin: EpochMs | None = None,
        impressions_per_click: float = market.IMPRESSIONS_PER_CLICK,
    ) -> None:
        """Draw the truth.

        Args:
            seed: names the world.
            start: the waves are drawn from here on, a whole minute in epoch ms.
            days: how far the waves are drawn; afterwards they stand still.
            rate: mean events per second of event time; budgets and demand scale with it.
            feed_delay_ms: how late a turn is announced; None for no announcements.
            begin: first minute that is played, not before `start`; None for `start`.
            impressions_per_click: fewer make a lighter world of the same kind.
        """
        scale = rate / market.FULL_RATE
        self.plans: tuple[Plan, ...] = market.plans(scale)
        self.budgets: dict[str, int] = {plan.campaign_id: plan.budget_micros for plan in self.plans}
        self._own = {plan.region: plan for plan in self.plans if plan.region is not None}
        self._national = tuple(plan for plan in self.plans if plan.region is None)
        self._seed = seed
        self.begin: EpochMs = start if begin is None else begin
        self._feed_delay_ms = feed_delay_ms
        self._impressions_per_click = impressions_per_click
        self._waves: dict[Region, Wave] = waves(seed, start, days)
        self._markets = market.markets(seed)
        self._clicks_a_day = market.clicks_per_day(scale)
        self._people = {
            region: market.returning_people(self._clicks_a_day * place.share) for region, place in self._markets.items()
        }
        self._coming: list[tuple[EpochMs, int, Emitted]] = []
        self._sequence = 0

    def truth(self, end: EpochMs) -> Truth:
        """Give what a perfect observer would have seen from `begin` to `end`, exclusive, in order of time."""
        every = [switch for wave in self._waves.values() for switch in wave.switches(self.begin, end)]
        return Truth(
            start=self.begin,
            end=end,
            initially_on={region: wave.is_on(self.begin) for region, wave in self._waves.items()},
            quota_hours=tuple(region for region, wave in self._waves.items() if wave.quota_hours),
            switches=tuple(sorted(every, key=lambda switch: (switch.at, switch.region))),
        )

    def is_on(self, region: Region, at: EpochMs) -> bool:
        """Tell the true state of a region at an instant."""
        return self._waves[region].is_on(at)

    def recall(self, minutes: int) -> None:
        """Play the minutes before `begin` unseen: what remains of them is the orders that their clicks lead to later.

        Without it a market begins with few orders, because six in ten come in the 45 minutes after the click.
        """
        for ago in range(minutes, 0, -1):
            self.step(EpochMs(self.begin - ago * MINUTE_MS))
        self._coming = [entry for entry in self._coming if _happened(entry[2]) >= self.begin]
        heapify(self._coming)

    def opening(self) -> list[Emitted]:
        """Give what is known at `begin`: the campaigns, and the announced state of every region."""
        out = [campaign(plan, self.begin) for plan in self.plans]
        if self._feed_delay_ms is not None:
            for wave in self._waves.values():
                out.append(self._announcement(wave, self.begin, self.begin))
                for turn in wave.turns:
                    if turn > self.begin:
                        late = self._announcement(wave, turn, EpochMs(turn + self._feed_delay_ms))
                        self._later(late)
        return out

    def step(self, minute: EpochMs, budgets: Mapping[str, int] | None = None) -> list[Emitted]:
        """Give the records that arrive in `[minute, minute + 60 s)`, in order of arrival.

        Args:
            minute: the next minute, in epoch ms.
            budgets: campaign id to micros a day; one that is missing spends its starting budget.
        """
        end = EpochMs(minute + MINUTE_MS)
        given = self.budgets if budgets is None else {**self.budgets, **budgets}
        now: list[Emitted] = []
        for region in self._markets:
            self._region_minute(region, minute, given, now)
        out = []
        for record in now:
            if record.arrival < end:
                out.append(record)
            else:
                self._later(record)
        while self._coming and self._coming[0][0] < end:
            out.append(heappop(self._coming)[2])
        out.sort(key=lambda record: record.arrival)
        return out

    def _later(self, record: Emitted) -> None:
        heappush(self._coming, (record.arrival, self._sequence, record))
        self._sequence += 1

    def _region_minute(self, region: Region, minute: EpochMs, budgets: Mapping[str, int], out: list[Emitted]) -> None:
        place, on = self._markets[region], self._waves[region].is_on(minute)
        rng = substream(self._seed, "minute", region, minute)
        a_minute = market.hour_share((minute + ZONE_MS) // HOUR_MS % 24) / 60
        demand = self._clicks_a_day * place.share * a_minute * (market.TRAFFIC_LIFT if on else 1.0)
        stem = f"{self._seed:x}.{region[:2]}.{minute // MINUTE_MS:x}"
        lift = place.lift if on else 1.0
        for number in range(poisson(rng, demand * market.ORGANIC_PER_CLICK * lift)):
            at = EpochMs(minute + int(rng.random() * MINUTE_MS))
            who = self._passer_by(rng, region)
            out.extend(self._order(rng, f"{stem}.o{number}", who, region, at, shop.pick_product(rng)))
        spends = self._spends(place, a_minute, budgets)
        spend = sum(amount for _, amount in spends)
        if spend <= 0:
            return
        mean = market.expected_clicks(spend, place.cpc_micros, market.SATURATION * demand)
        for plan, amount in spends:
            part = f"{stem}.{plan.campaign_id[-6:]}"
            traffic = Traffic(
                region, minute, plan, part, spend / mean, place.orders_per_click * lift, self._people[region]
            )
            self._campaign_minute(rng, traffic, poisson(rng, mean * amount / spend), out)

    def _passer_by(self, rng: Random, region: Region) -> str:
        """Draw who buys without having been led: mostly a stranger, at times one who clicked here or elsewhere."""
        if rng.random() >= market.RETURNING_BUYERS:
            return user(rng)
        home = region if rng.random() < _AT_HOME else rng.choice(tuple(self._people))
        return returning(rng, home, self._people[home])

    def _spends(self, place: RegionMarket, a_minute: float, budgets: Mapping[str, int]) -> list[tuple[Plan, float]]:
        """Give the campaigns that run in a region and what each spends there in this minute."""
        return [
            (plan, budgets[plan.campaign_id] * a_minute * (place.share if plan.region is None else 1.0))
            for plan in (*self._national, self._own[place.region])
        ]

    def _campaign_minute(self, rng: Random, traffic: Traffic, clicks: int, out: list[Emitted]) -> None:
        shown = poisson(rng, clicks * self._impressions_per_click)
        out.extend(traffic.impression(rng, number) for number in range(shown))
        for number in range(clicks):
            product = shop.pick_product(rng)
            click = traffic.click(rng, number, product)
            out.append(click)
            luck = rng.random()
            if luck < traffic.buys * (1 + market.HALO_PER_DIRECT):
                out.extend(self._bought(rng, click, product, direct=luck < traffic.buys))

    def _bought(self, rng: Random, click: Emitted, product: Product, *, direct: bool) -> list[Emitted]:
        """Give the order that a click leads to; a halo order is for another product of the shop.

        Few orders name the click; for the others whoever counts has to find it by the user.
        """
        body = click.body
        at = EpochMs(int(str(body["at"])) + shop.delay_ms(rng))
        bought = product if direct else shop.other_product(rng, product.sku)
        region, is_named = Region(str(body["region"])), rng.random() < NAMED
        records = self._order(rng, f"{body['event_id']}.o", str(body["user_id"]), region, at, bought)
        if is_named:
            for record in records:
                record.body.update(campaign_id=body["campaign_id"], click_id=body["event_id"], halo=not direct)
        return records

    def _order(
        self, rng: Random, order_id: str, user_id: str, region: Region, at: EpochMs, product: Product
    ) -> list[Emitted]:
        return shop.life_of(rng, order_id, user_id, region, at, product, self._waves[region].is_on(at))

    def _announcement(self, wave: Wave, effective_at: EpochMs, at: EpochMs) -> Emitted:
        state = ("quota_hours" if wave.quota_hours else "on") if wave.is_open(effective_at) else "off"
        event_id = f"{self._seed:x}.{wave.region}.{effective_at}"
        return announcement(event_id, wave.region, state, effective_at, at)


def _happened(record: Emitted) -> int:
    """Give when the order was placed, else when the event happened."""
    return int(str(record.body.get("placed_at", record.body["at"])))
