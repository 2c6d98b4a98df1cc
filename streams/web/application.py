"""The ASGI application of `serve`: API, page, metrics and health, over one reader."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from models.errors import MonitorError, ServiceUnavailable
from models.units import EpochMs
from streams.gauges import ServeMetrics
from streams.settings import Settings
from streams.web.answers import Problem
from streams.web.api import router
from streams.web.guard import SecurityHeaders
from streams.web.reader import OpenStore, Reader

STATIC: Final = Path(__file__).parent / "static"
READ: Final = ["GET", "HEAD"]


def build_application(settings: Settings, open_store: OpenStore, now: Callable[[], EpochMs]) -> FastAPI:
    """Give the application; nothing is connected before its lifespan starts.

    Args:
        settings: everything this process was told.
        open_store: connects to the store for as long as its block runs.
        now: wall clock.
    """
    reader = Reader(settings, open_store, now)
    metrics = ServeMetrics(settings, reader.snapshots)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(reader.run(), name="reader")
        try:
            yield
        finally:
            reader.stop()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    app = FastAPI(
        title="subsidywatch",
        description="Rolling spend, orders and ROI per region and campaign, subsidy status, and budget decisions.",
        version=_version(),
        lifespan=lifespan,
        docs_url=None,  # the interactive pages load scripts from elsewhere, which the content policy forbids
        redoc_url=None,
    )
    app.state.reader = reader
    app.include_router(router)
    app.add_middleware(GZipMiddleware, minimum_size=1_000)
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(MonitorError, _problem)
    app.add_exception_handler(RequestValidationError, _wrong_question)
    _add_operations(app, reader, metrics)
    _add_page(app)
    return app


def _add_operations(app: FastAPI, reader: Reader, metrics: ServeMetrics) -> None:
    @app.api_route("/metrics", methods=READ, include_in_schema=False)
    async def metrics_page() -> Response:
        return Response(await metrics.render(reader.streams), media_type=CONTENT_TYPE_LATEST)

    @app.head("/healthz", include_in_schema=False)
    @app.get("/healthz", summary="Is the process alive?")
    async def healthz() -> dict[str, str]:
        """Answer whenever the event loop turns; a store that is away is not cured by a restart."""
        return {"status": "ok"}

    @app.head("/readyz", include_in_schema=False)
    @app.get("/readyz", summary="Do figures flow?", responses={503: {"model": Problem}})
    async def readyz() -> JSONResponse:
        """Say whether the store can be read and how fresh it is; in words when not."""
        try:
            meta = await reader.meta()
        except ServiceUnavailable as error:
            return JSONResponse({"status": "failing", "reasons": [str(error)]}, 503)
        if meta.state == "live":
            return JSONResponse({"status": "ok", "reasons": []})
        return JSONResponse({"status": "ok", "reasons": [_not_flowing(meta.state, meta.idle_ms)]})


def _not_flowing(state: str, idle_ms: int | None) -> str:
    if state == "empty":
        return "the store can be read, but no event was ever counted; is a worker running?"
    return f"the store can be read, but nothing new was counted for {(idle_ms or 0) // 1000} s; is a worker running?"


def _add_page(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.api_route("/", methods=READ, include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "page.html", media_type="text/html; charset=utf-8")

    @app.api_route("/favicon.ico", methods=READ, include_in_schema=False)
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")


async def _problem(_: Request, error: Exception) -> JSONResponse:
    status = 503 if isinstance(error, ServiceUnavailable) else 500
    return JSONResponse({"detail": str(error)}, status)


async def _wrong_question(_: Request, error: Exception) -> JSONResponse:
    """Name every wrong parameter in one sentence."""
    found = cast(RequestValidationError, error).errors()
    wrong = [f"parameter {one['loc'][-1]!r}: {_lower(one['msg'])}" for one in found]
    return JSONResponse({"detail": f"{'; '.join(wrong)}; all parameters are described at /openapi.json"}, 422)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _version() -> str:
    from importlib.metadata import version

    return version("subsidywatch")
