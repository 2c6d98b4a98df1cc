"""Logs: one structlog pipeline for our lines and the libraries', a console on a terminal, JSON otherwise.

Lines go to stderr, so that what a command prints stays clean. Event names are
snake_case and everything else is a field. Secrets are never bound to a line:
settings keep them in types that print as stars.
"""

import logging
import sys
from typing import Final, Literal

import structlog
from structlog.typing import Processor

QUIET: Final = ("faust", "mode", "aiokafka", "asyncio", "kafka", "streams.transport")
"""Loggers shown from warnings on: libraries, and the transport, which logs in the voice of Faust's services."""

REPEAT_S: Final = 10.0
"""A library's line comes again after this long at the earliest: clients retry, and complain, many times a second."""
MOST_REMEMBERED: Final = 1_000


class NoRepeats(logging.Filter):
    """Drops what a library has said in the same words a moment ago."""

    def __init__(self) -> None:
        """Remember nothing."""
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Let a line pass unless it is a library's and a repetition."""
        if not record.name.startswith(QUIET):
            return True
        words = f"{record.name} {record.getMessage()}"
        if record.created - self._said.get(words, 0.0) < REPEAT_S:
            return False
        if len(self._said) >= MOST_REMEMBERED:
            self._said.clear()
        self._said[words] = record.created
        return True


def set_up(log_format: Literal["auto", "console", "json"], level: str) -> None:
    """Send all logging through one pipeline; safe to call again.

    Args:
        log_format: auto takes the console on a terminal and JSON otherwise.
        level: least level of our own lines: debug, info, warning or error.
    """
    console = log_format == "console" or (log_format == "auto" and sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if console:
        last.append(structlog.dev.ConsoleRenderer())
    else:
        last += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(NoRepeats())
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=last))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
