"""The payloads of `wave-31` that are not orders: impressions, clicks, campaigns and announcements."""

from dataclasses import dataclass
from random import Random

from models.scenario.emitted import ANNOUNCEMENTS, CAMPAIGNS, CLICKS, IMPRESSIONS, Emitted, Payload
from models.scenario.market import CATEGORY, PRODUCTS, RETURNING, Plan, Product
from models.scenario.waves import DAILY_HOURS
from models.units import MINUTE_MS, EpochMs, Region

_LATE = 0.005
_LATEST_MS = 10 * MINUTE_MS
_TRANSPORT_MS = 300
_USERS = 10_000_000


def user(rng: Random) -> str:
    """Draw a user id."""
    return f"u{int(rng.random() * _USERS):07d}"


def returning(rng: Random, region: Region, people: int) -> str:
    """Draw one of the people of a region who come back."""
    return f"r{region[:2]}{int(rng.random() * people):05d}"


@dataclass(frozen=True, slots=True)
class Traffic:
    """One campaign in one region for one minute.

    Attributes:
        stem: first part of every event id.
        price_micros: mean price of a click.
        buys: direct orders per click, with the lift of the subsidy if it is on.
        people: how many of the region come back.
    """

    region: Region
    minute: EpochMs
    plan: Plan
    stem: str
    price_micros: float
    buys: float
    people: int

    def impression(self, rng: Random, number: int) -> Emitted:
        """Draw an impression; the platform charges for clicks, so it costs nothing."""
        at = EpochMs(self.minute + int(rng.random() * MINUTE_MS))
        who = user(rng)
        body: Payload = {
            "event_id": f"{self.stem}.i{number}",
            "at": at,
            "region": self.region,
            "campaign_id": self.plan.campaign_id,
            "spend_micros": 0,
            "user_id": who,
            "channel": self.plan.channel,
        }
        return Emitted(EpochMs(at + _TRANSPORT_MS), IMPRESSIONS, who, body)

    def click(self, rng: Random, number: int, product: Product) -> Emitted:
        """Draw a click on the ad for `product`; one in two hundred arrives minutes late."""
        at = EpochMs(self.minute + int(rng.random() * MINUTE_MS))
        late = int(rng.random() * _LATEST_MS) if rng.random() < _LATE else _TRANSPORT_MS
        who = returning(rng, self.region, self.people) if rng.random() < RETURNING else user(rng)
        body: Payload = {
            "event_id": f"{self.stem}.c{number}",
            "at": at,
            "region": self.region,
            "campaign_id": self.plan.campaign_id,
            "user_id": who,
            "spend_micros": int(self.price_micros * (0.8 + 0.4 * rng.random())),
            "channel": self.plan.channel,
            "sku": product.sku,
            "category": CATEGORY,
        }
        return Emitted(EpochMs(at + late), CLICKS, who, body)


def campaign(plan: Plan, at: EpochMs, *, budget_micros: int | None = None, version: int = 1) -> Emitted:
    """Give the record that tells a campaign's settings; None for the starting budget."""
    body: Payload = {
        "event_id": f"{plan.campaign_id}.{version}",
        "at": at,
        "region": plan.region or "unknown",
        "campaign_id": plan.campaign_id,
        "name": plan.name,
        "plan_type": plan.plan_type,
        "channel": plan.channel,
        "daily_budget_micros": plan.budget_micros if budget_micros is None else budget_micros,
        "regions": None if plan.region is None else [plan.region],
        "region_addressable": plan.region is not None,
        "skus": [product.sku for product in PRODUCTS],
        "category": CATEGORY,
        "version": version,
    }
    return Emitted(at, CAMPAIGNS, plan.campaign_id, body)


def announcement(event_id: str, region: Region, state: str, effective_at: EpochMs, at: EpochMs) -> Emitted:
    """Give an announcement published at `at` of a state that holds from `effective_at` on."""
    body: Payload = {
        "event_id": event_id,
        "at": at,
        "region": region,
        "source": "scenario-feed",
        "state": state,
        "category": CATEGORY,
        "effective_at": effective_at,
        "daily_hours": DAILY_HOURS if state == "quota_hours" else None,
    }
    return Emitted(at, ANNOUNCEMENTS, region, body)
