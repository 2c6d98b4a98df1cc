"""From what was read to the typed answers of the read API."""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from pydantic import BaseModel

from models.cohorts import Matured
from models.regions import by_adcode
from models.roi import ALL, amount_micros, orders, roi
from models.totals import Totals
from streams.readlog import Explanation, Feed
from streams.readmeta import Meta
from streams.readmodel import Row, Table, region_names
from streams.readstatus import Decided, RegionStatus
from streams.web.answers import (
    Counters,
    ExpectedAnswer,
    ExplainAnswer,
    MetaAnswer,
    Ratios,
    RoiAnswer,
    RowAnswer,
    ShiftList,
    StatusAnswer,
    TableAnswer,
)


class Detail(NamedTuple):
    """What an answer holds beyond the reports' figures.

    Attributes:
        expected: what the clicks of a row will have brought, by member; `total` for the total row.
    """

    expected: Mapping[str, Matured]


def row_answer(row: Row, detail: Detail | None = None) -> RowAnswer:
    """Turn a row into its answer, with every ROI if there is a detail."""
    expected = None if detail is None else detail.expected.get(row.member)
    return RowAnswer(
        **_same(RowAnswer, row) | {"totals": counters(row.totals)},
        campaign_id=row.campaign,
        ratios=Ratios(**row.kpis()),
        rois=None if detail is None else roi_answers(row.totals),
        roi_click_expected=None if expected is None else _expected(expected),
    )


def roi_answers(totals: Totals) -> list[RoiAnswer]:
    """Give every ROI of a cell with its labels."""
    return [
        RoiAnswer(
            name=labels.name,
            **labels._asdict(),
            orders=orders(totals, labels),
            amount_micros=amount_micros(totals, labels),
            value=roi(totals, labels),
        )
        for labels in ALL
    ]


def _expected(found: Matured) -> ExpectedAnswer:
    return ExpectedAnswer(**_same(ExpectedAnswer, found), roi_direct=found.roi("direct"), roi_total=found.roi("total"))


def counters(totals: Totals) -> Counters:
    """Turn totals into their answer."""
    return Counters(**_same(Counters, totals))


def table_answer(table: Table, limit: int | None = None, detail: Detail | None = None) -> TableAnswer:
    """Turn a table into its answer, with at most `limit` rows; None for all."""
    return TableAnswer(
        by=table.by,
        window=table.window,
        start=table.span.start if table.span else None,
        end=table.span.end if table.span else None,
        head=table.head,
        rows=[row_answer(row, detail) for row in table.rows[:limit]],
        rows_left_out=0 if limit is None else max(0, len(table.rows) - limit),
        total=row_answer(table.total, detail),
        lost_records=table.lost,
    )


def status_answer(row: RegionStatus) -> StatusAnswer:
    """Turn a status into its answer, with the region's names and place in the map."""
    place = by_adcode(row.region)
    name_zh, name_en = region_names(row.region)
    return StatusAnswer(
        **_same(StatusAnswer, row),
        name_zh=name_zh,
        name_en=name_en,
        iso=place.iso.removeprefix("CN-") if place else None,
        tile_row=place.row if place else None,
        tile_col=place.col if place else None,
    )


def meta_answer(meta: Meta, decided: Decided, zone: str, rate: float | None, windows: list[str]) -> MetaAnswer:
    """Turn the state of the whole into its answer."""
    return MetaAnswer(
        **_same(MetaAnswer, meta),
        version=version("subsidywatch"),
        decided_to=decided.position,
        records_per_s=rate,
        zone=zone,
        windows=windows,
    )


def _same(answer: type[BaseModel], found: object) -> dict[str, Any]:
    """Give the fields of an answer that what was found has under the same name."""
    return {name: getattr(found, name) for name in answer.model_fields if hasattr(found, name)}


def shift_list(feed: Feed) -> ShiftList:
    """Turn a feed into its shifts."""
    return ShiftList(shifts=list(feed.shifts), held=list(feed.held), results=list(feed.results))


def explain_answer(found: Explanation) -> ExplainAnswer:
    """Turn an explanation into its answer."""
    lists = {name: list(getattr(found, name)) for name in ("shifts", "held", "results")}
    return ExplainAnswer(asked=found.asked, transition=found.transition, **lists)
