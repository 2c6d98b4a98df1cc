"""From the logs to the cells."""

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from oracle.cells import Cells, Minutes
from oracle.credit import History, credit_counters
from oracle.lines import Line, flows, lines_of, placed_counters
from oracle.log import Event, ads, all_of
from oracle.terms import Terms

IMPRESSIONS, CLICKS, ORDERS, CAMPAIGNS = "ads.impressions.v1", "ads.clicks.v1", "shop.orders.v1", "ads.campaigns.v1"

Logs = Mapping[tuple[str, int], Sequence[bytes]]
"""(topic, partition) to its values in the order of their offsets; other topics may be there and count nothing."""


def count(logs: Logs, terms: Terms | None = None) -> Cells:
    """Count everything.

    Args:
        logs: all that lies on the log, repeats included.
        terms: settings; None for the defaults.
    """
    terms = terms or Terms()
    minutes = Minutes()
    clicks = [click for log in _of(logs, CLICKS) for click in ads(log, terms.duplicate_window)]
    _add_ads(minutes, clicks, "clicks")
    for log in _of(logs, IMPRESSIONS):
        _add_ads(minutes, ads(log, terms.duplicate_window), "impressions")
    history = History(clicks, _promoted(logs))
    for log in _of(logs, ORDERS):
        for line in lines_of(all_of(log)):
            _add_line(minutes, line, history, terms)
    return minutes.cells(ZoneInfo(terms.zone))


def _of(logs: Logs, wanted: str) -> list[Sequence[bytes]]:
    return [values for (topic, _), values in sorted(logs.items(), key=lambda item: item[0]) if topic == wanted]


def _promoted(logs: Logs) -> dict[str, list[str]]:
    """Give the products that the newest settings of each campaign name."""
    newest: dict[str, Event] = {}
    for log in _of(logs, CAMPAIGNS):
        for campaign in all_of(log):
            known = newest.get(campaign["campaign_id"])
            if known is None or known["version"] <= campaign["version"]:
                newest[campaign["campaign_id"]] = campaign
    return {name: campaign.get("skus") or [] for name, campaign in newest.items()}


def _add_ads(minutes: Minutes, events: Iterable[Event], name: str) -> None:
    for event in events:
        counts = {name: 1, "spend_micros": event["spend_micros"]}
        minutes.add(event["at"], event["region"], event["campaign_id"], counts)


def _add_line(minutes: Minutes, line: Line, history: History, terms: Terms) -> None:
    credit = history.credit(line, terms)
    named = line.first.get("campaign_id")
    campaign = credit.campaign if credit else named
    region, placed_at = line.first["region"], line.first["placed_at"]
    minutes.add(placed_at, region, campaign, placed_counters(line, terms))
    for at, counts in flows(line):
        minutes.add(at, region, campaign, counts)
    if credit:
        by_order, by_click = credit_counters(line, credit, terms)
        minutes.add(placed_at, credit.region, credit.campaign, by_order)
        minutes.add(credit.at, credit.region, credit.campaign, by_click)
