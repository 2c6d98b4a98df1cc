"""The read API: typed answers from shared snapshots, and the event stream of the live page."""

import io
from collections.abc import AsyncIterator
from typing import Annotated, Literal, cast

from fastapi import APIRouter, Header, HTTPException, Query, Request
from fastapi.responses import PlainTextResponse
from sse_starlette import EventSourceResponse, ServerSentEvent

from models.regions import by_adcode
from models.units import UNKNOWN_REGION
from models.windows import Scope
from streams.files.csv_tables import write_totals
from streams.readmodel import of_region
from streams.web.answering import Detail, explain_answer, shift_list, table_answer
from streams.web.answers import ExplainAnswer, MetaAnswer, Problem, ShiftList, StatusList, TableAnswer, TransitionList
from streams.web.channels import Channel, View
from streams.web.reader import Reader, status_list

router = APIRouter(
    prefix="/api/v1",
    responses={
        503: {"model": Problem, "description": "The store is away."},
        422: {"model": Problem, "description": "A parameter is wrong."},
    },
)

Window = Literal["1m", "5m", "15m", "1h", "24h", "today", "yesterday", "all"]
Limit = Annotated[int, Query(ge=1, le=2_000, description="Most entries of each log, newest first.")]


def reader_of(request: Request) -> Reader:
    """Give the reader the application was built with."""
    return cast(Reader, request.app.state.reader)


@router.get("/table", summary="Region monitoring table")
async def table(
    request: Request,
    by: Annotated[Scope, Query(description="What a row is.")] = Scope.REGION,
    window: Annotated[Window, Query(description="Span of event time.")] = "today",
    limit: Annotated[int, Query(ge=1, le=20_000, description="Most rows, most spend first.")] = 1_000,
    region: Annotated[str | None, Query(max_length=10, description="Only rows of this region.")] = None,
    roi: Annotated[
        Literal["report", "all"], Query(description="all: every ROI with its labels, and what is still to come.")
    ] = "report",
) -> TableAnswer:
    """Give totals, shares and ratios per row over a window, and the total row."""
    snapshots = reader_of(request).snapshots
    if by is Scope.CAMPAIGN and region is not None:
        raise HTTPException(422, "parameter 'region': campaigns have no region; take by=region or by=region,campaign")
    if region is not None and region != UNKNOWN_REGION and by_adcode(region) is None:
        # Any text may be asked for, so it never gets a read of its own, which would be kept.
        found = of_region(await snapshots.table(by, window), region)
        return table_answer(found, limit, Detail({}) if roi == "all" else None)
    found = await snapshots.table(by, window, region)
    return table_answer(found, limit, Detail(await snapshots.expected(by, window, region)) if roi == "all" else None)


@router.get("/table.csv", summary="The same as CSV", response_class=PlainTextResponse)
async def table_csv(request: Request, by: Scope = Scope.REGION, window: Window = "today") -> PlainTextResponse:
    """Give the file that `subsidywatch table --csv` prints and `backtest` writes."""
    found, out = await reader_of(request).snapshots.table(by, window), io.StringIO(newline="")
    write_totals(out, found.rows, by)
    name = f"totals_by_{by.value.replace(',', '_')}_{window}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/status", summary="Subsidy status per region")
async def status(request: Request) -> StatusList:
    """Give what is believed of every region's subsidy, with the counts it rests on."""
    base = await reader_of(request).snapshots.base()
    return status_list(base.meta.category, base.decided)


@router.get("/transitions", summary="Changes of a status")
async def transitions(request: Request, limit: Limit = 100) -> TransitionList:
    """Give the newest changes, as they were published."""
    return TransitionList(transitions=list((await reader_of(request).snapshots.logs(limit)).transitions))


@router.get("/shifts", summary="Budget shifts, vetoes and answers")
async def shifts(request: Request, limit: Limit = 100) -> ShiftList:
    """Give the newest shifts as they were published, those held back, and what adjusters answered."""
    return shift_list(await reader_of(request).snapshots.logs(limit))


@router.get("/explain/{wanted}", summary="Why something was decided", responses={404: {"model": Problem}})
async def explain(request: Request, wanted: str) -> ExplainAnswer:
    """Give everything that hangs together with the id of a transition, shift, plan or veto (six digits are enough)."""
    found = await reader_of(request).snapshots.explain(wanted)
    if found is None:
        raise HTTPException(404, "no decision in the log has an id that starts like this; ids have at least 6 digits")
    return explain_answer(found)


@router.get("/meta", summary="State of the whole")
async def meta(request: Request) -> MetaAnswer:
    """Give freshness, watermark, mode, counts and the hash of the rules."""
    return await reader_of(request).meta()


@router.get("/stream", summary="Server-sent events", response_class=EventSourceResponse)
async def stream(
    request: Request,
    by: Literal["region", "campaign"] = "region",
    window: Window = "today",
    last_event_id: Annotated[str | None, Header(description="Where to resume.")] = None,
) -> EventSourceResponse:
    """Stream `snapshot`, then `delta`, `decision`, `heartbeat` and `trouble`; resumes from `Last-Event-ID`."""
    reader = reader_of(request)
    if reader.stopping:
        raise HTTPException(503, "the server is stopping")
    if reader.streams >= reader.settings.serve.max_streams:
        raise HTTPException(
            503, "too many live pages are open; close one or raise serve.max_streams", {"Retry-After": "5"}
        )
    channel = reader.channel(View(Scope(by), window))
    return EventSourceResponse(_events(reader, channel, last_event_id), ping=30, send_timeout=20)


async def _events(reader: Reader, channel: Channel, last_id: str | None) -> AsyncIterator[ServerSentEvent]:
    reader.streams += 1
    channel.clients += 1
    try:
        async for event in channel.stream(last_id):
            yield ServerSentEvent(event.data, event=event.event, id=event.id)
    finally:
        reader.streams -= 1
        channel.clients -= 1
