"""`subsidywatch VERB`: the one table of verbs, and how errors become sentences and exit codes.

Commands live in `streams.commands`, one verb a file, and import what they need
inside, so that `--help` is instant.
"""

import os
import sys
from typing import Final

import typer

from models.errors import MonitorError
from streams.commands.backtest import backtest
from streams.commands.config import config_app
from streams.commands.demo import demo
from streams.commands.dlq import dlq_app
from streams.commands.doctor import doctor
from streams.commands.explain import explain
from streams.commands.replay import replay
from streams.commands.serve import serve
from streams.commands.shifts import shifts
from streams.commands.simulate import simulate
from streams.commands.status import status
from streams.commands.table import table
from streams.commands.topics import topics_app
from streams.commands.transitions import transitions
from streams.commands.version import version
from streams.commands.worker import worker

INTERNAL_FAULT: Final = 70


def build() -> typer.Typer:
    """Give the command line; nothing is built at import."""
    app = typer.Typer(
        name="subsidywatch",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Watch ad money and subsidies per region, and move budgets when a subsidy switches.",
    )
    for verb in (
        worker,
        serve,
        demo,
        simulate,
        replay,
        backtest,
        table,
        status,
        transitions,
        shifts,
        explain,
        doctor,
        version,
    ):
        app.command(verb.__name__)(verb)
    app.add_typer(dlq_app, name="dlq")
    app.add_typer(topics_app, name="topics")
    app.add_typer(config_app, name="config")
    return app


def main() -> None:
    """Run a verb; an expected error is one sentence on stderr, a traceback only with `--debug`."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        build()(arguments)  # wrong use is said by typer itself, with exit code 2
    except MonitorError as error:
        if debug:
            raise
        print(f"subsidywatch: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as fault:
        if debug:
            raise
        print(f"subsidywatch: internal fault: {fault!r}; run again with --debug for the traceback", file=sys.stderr)
        sys.exit(INTERNAL_FAULT)
