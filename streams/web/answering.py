"""From what was read to the typed answers of the read API."""

from importlib.metadata import version

from models.regions import by_adcode
from models.totals import COUNTERS, Totals
from streams.readlog import Explanation, Feed
from streams.readmeta import Meta
from streams.readmodel import Row, Table, region_names
from streams.readstatus import Decided, RegionStatus
from streams.web.answers import (
    Counters,
    ExplainAnswer,
    MetaAnswer,
    Ratios,
    RowAnswer,
    ShiftList,
    StatusAnswer,
    TableAnswer,
)


def row_answer(row: Row) -> RowAnswer:
    """Turn a row into its answer."""
    return RowAnswer(
        member=row.member,
        region=row.region,
        campaign_id=row.campaign,
        name_zh=row.name_zh,
        name_en=row.name_en,
        campaign_name=row.campaign_name,
        totals=counters(row.totals),
        share=row.share,
        ratios=Ratios(**row.kpis()),
        last_minute=row.last_minute,
    )


def counters(totals: Totals) -> Counters:
    """Turn totals into their answer."""
    return Counters(
        **{name: getattr(totals, name) for name in COUNTERS if name in Counters.model_fields},
        gmv_net_micros=totals.gmv_net_micros,
    )


def table_answer(table: Table, limit: int | None = None) -> TableAnswer:
    """Turn a table into its answer, with at most `limit` rows; None for all."""
    return TableAnswer(
        by=table.by,
        window=table.window,
        start=table.span.start if table.span else None,
        end=table.span.end if table.span else None,
        head=table.head,
        rows=[row_answer(row) for row in table.rows[:limit]],
        rows_left_out=0 if limit is None else max(0, len(table.rows) - limit),
        total=row_answer(table.total),
    )


def status_answer(row: RegionStatus) -> StatusAnswer:
    """Turn a status into its answer, with the region's names and place in the map."""
    place = by_adcode(row.region)
    name_zh, name_en = region_names(row.region)
    return StatusAnswer(
        **{name: getattr(row, name) for name in StatusAnswer.model_fields if hasattr(row, name)},
        name_zh=name_zh,
        name_en=name_en,
        iso=place.iso.removeprefix("CN-") if place else None,
        tile_row=place.row if place else None,
        tile_col=place.col if place else None,
    )


def meta_answer(meta: Meta, decided: Decided, zone: str, rate: float | None, windows: list[str]) -> MetaAnswer:
    """Turn the state of the whole into its answer."""
    return MetaAnswer(
        version=version("subsidywatch"),
        state=meta.state,
        now=meta.now,
        head=meta.head,
        watermark=meta.watermark,
        decided_to=decided.position,
        last_write=meta.last_write,
        idle_ms=meta.idle_ms,
        records=meta.records,
        records_per_s=rate,
        tallies=dict(meta.tallies),
        mode=meta.mode,
        killed=meta.killed,
        category=meta.category,
        zone=zone,
        config_hash=meta.config_hash,
        windows=windows,
    )


def shift_list(feed: Feed) -> ShiftList:
    """Turn a feed into its shifts."""
    return ShiftList(shifts=list(feed.shifts), held=list(feed.held), results=list(feed.results))


def explain_answer(found: Explanation) -> ExplainAnswer:
    """Turn an explanation into its answer."""
    lists = {name: list(getattr(found, name)) for name in ("shifts", "held", "results")}
    return ExplainAnswer(asked=found.asked, transition=found.transition, **lists)
