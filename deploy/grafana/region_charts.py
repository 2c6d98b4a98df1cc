"""Panels of the dashboard "regions and decisions": the gauges of `serve`.

Several `serve` processes show the same store, so every query takes the maximum over them before it adds up regions.
"""

from typing import Final

from chart import ME, Chart

WINDOWS: Final = ("today", "24h", "1h", "all")


def cell(metric: str, *labels: str, window: bool = True) -> str:
    """A gauge of the chosen window, one value per label set however many processes show it."""
    chosen = ',window="$window"' if window else ""
    return f"max by ({', '.join(labels)}) (subsidywatch_{metric}{{{ME}{chosen}}})"


def state(metric: str, *labels: str) -> str:
    """A gauge that has no window."""
    return cell(metric, *labels, window=False)


def whole(metric: str) -> str:
    """The sum over all regions."""
    return f"sum({cell(f'region_{metric}', 'region')})"


def yuan(metric: str) -> str:
    """A sum of micros over all regions, in units of the account currency."""
    return f"{whole(metric)} / 1e6"


def number(title: str, text: str, unit: str, expression: str) -> Chart:
    """A single figure."""
    return Chart(title, text, "number", unit, 4, ((expression, title.lower()),))


REGION_CHARTS: Final = (
    number("Spend", "Money paid for impressions and clicks.", "currencyCNY", yuan("spend_micros")),
    number("Clicks", "Clicks of all regions.", "short", whole("clicks")),
    number("Direct orders", "Order lines of the promoted product.", "short", whole("direct_orders")),
    number(
        "Cost per click",
        "Spend per click, from sums; empty without clicks.",
        "currencyCNY",
        f"{yuan('spend_micros')} / ({whole('clicks')} > 0)",
    ),
    number(
        "Direct ROI",
        "Placed amount of the promoted product per spend, order basis. 47 means 47 yuan for one.",
        "none",
        f"{whole('direct_gmv_micros')} / ({whole('spend_micros')} > 0)",
    ),
    number(
        "Total ROI",
        "Placed amount of all credited order lines per spend, order basis.",
        "none",
        f"{whole('total_gmv_micros')} / ({whole('spend_micros')} > 0)",
    ),
    Chart(
        "Regions",
        "The monitoring table, from the same totals as the live page. A missing cell is not defined yet.",
        "table",
        "none",
        16,
        (
            (f"{cell('region_spend_micros', 'region')} / 1e6", "spend"),
            (cell("region_clicks", "region"), "clicks"),
            (cell("region_cpc_currency", "region"), "CPC"),
            (cell("region_direct_orders", "region"), "orders"),
            (cell("region_cpa_currency", "region"), "CPA"),
            (cell("region_roi_direct_ratio", "region"), "direct ROI"),
            (cell("region_roi_total_ratio", "region"), "total ROI"),
            (cell("region_roi_total_capped_ratio", "region"), "capped"),
        ),
    ),
    Chart(
        "Largest campaigns",
        "Spend of the ten that spent most; `other` is everything beyond the campaigns with series of their own.",
        "bars",
        "currencyCNY",
        8,
        ((f"topk(10, {cell('campaign_spend_micros', 'campaign')}) / 1e6", "{{campaign}}"),),
    ),
    Chart(
        "Regions by subsidy status",
        "How many regions are on, partial, off or unknown.",
        "lines",
        "short",
        12,
        ((f"sum by (status) ({state('region_status', 'region', 'status')})", "{{status}}"),),
    ),
    Chart(
        "Doubts",
        "Regions where evidence gathers against the status, and where orders contradict the latest announcement.",
        "lines",
        "short",
        12,
        (
            (f"sum({state('region_suspect', 'region')})", "suspect"),
            (f"sum({state('region_contradicted', 'region')})", "contradicted"),
        ),
    ),
    Chart(
        "Freshness",
        "Wall time since the newest write, and how far the closed and the decided evidence is behind the newest event.",
        "lines",
        "s",
        12,
        (
            (f"time() - max(subsidywatch_last_write_timestamp_seconds{{{ME}}})", "since last write"),
            (
                f"max(subsidywatch_event_head_timestamp_seconds{{{ME}}}) - "
                f"max(subsidywatch_event_watermark_timestamp_seconds{{{ME}}})",
                "not closed",
            ),
            (
                f"max(subsidywatch_event_head_timestamp_seconds{{{ME}}}) - "
                f"max(subsidywatch_decided_timestamp_seconds{{{ME}}})",
                "not decided",
            ),
        ),
    ),
    Chart(
        "Decisions",
        "Switches found and plans made since the store was empty.",
        "lines",
        "short",
        12,
        (
            (f"max(subsidywatch_transitions_decided{{{ME}}})", "transitions"),
            (f"max(subsidywatch_plans_decided{{{ME}}})", "plans"),
        ),
    ),
    Chart(
        "Held back",
        "Shifts a guard rail kept from leaving, among the newest of the log, by reason code.",
        "bars",
        "short",
        8,
        ((state("held_shifts", "code"), "{{code}}"),),
    ),
    Chart(
        "Answers of adjusters",
        "What bid adjusters said of the newest shifts.",
        "bars",
        "short",
        8,
        ((state("shift_answers", "result"), "{{result}}"),),
    ),
    Chart(
        "Kill switch and store",
        "1 while no shift may leave; 1 while `serve` can read the store; live pages open now.",
        "number",
        "short",
        8,
        (
            (f"max(subsidywatch_kill_switch_on{{{ME}}})", "kill switch"),
            (f"min(subsidywatch_serve_store_up{{{ME}}})", "store readable"),
            (f"sum(subsidywatch_serve_streams{{{ME}}})", "live pages"),
        ),
    ),
    Chart(
        "Refused records",
        "Dead letters by reason since the store was empty.",
        "lines",
        "short",
        12,
        ((f"sum by (reason) ({state('rejected_records', 'kind', 'reason')})", "{{reason}}"),),
    ),
    Chart(
        "Accepted, late and repeated records",
        "Records that count, that came late but still count, and repeated order records that were dropped.",
        "lines",
        "short",
        12,
        (
            (f"sum({state('accepted_records', 'kind')})", "accepted"),
            (f"sum({state('late_records', 'kind')})", "late"),
            (f"sum({state('duplicates_records', 'kind')})", "repeated"),
        ),
    ),
    Chart(
        "How late records come",
        "Records behind the newest event of their partition, by the least lateness of their class; all of them count.",
        "bars",
        "short",
        8,
        ((f"sum by (least) ({state('late_by_records', 'kind', 'least')})", "{{least}}"),),
    ),
    Chart(
        "From click to order",
        "Credited order lines by the time since their click; what is still to come of a young window follows from it.",
        "bars",
        "short",
        8,
        ((state("credited_orders", "delay"), "{{delay}}"),),
    ),
    Chart(
        "Bounds of attribution",
        "Clicks and lines of one user and day beyond what is kept, and lines too late for every click to be known.",
        "lines",
        "short",
        8,
        (
            (state("forgotten_visits", "what"), "forgotten {{what}}"),
            (f"sum({state('late_attributions', 'what')})", "late lines"),
        ),
    ),
)
