"""The options of ``genai-otel report``, apart from what carries it out."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final, TypeVar

from genai_otel.report import period
from genai_otel.report.objective import Objective, objective

_DEFAULT: Final = "genai-otel-report.html"
_SOURCE: Final = (
    "file of OTLP JSON lines (.gz too) or of Jaeger's, folder of them, - for standard input, "
    "or the address of a Jaeger, as http://localhost:16686"
)
_EPILOG: Final = (
    "The week of an application: genai-otel report http://jaeger:16686 --last 7d --service shop "
    "--slo success=99.5 --slo latency-p95=10s --prometheus http://prometheus:9090"
)

_T = TypeVar("_T")


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    add = parser.add_argument
    parser.epilog = _EPILOG
    add("source", nargs="+", help=_SOURCE)
    add("-o", "--output", default=_DEFAULT, help=f"where the page goes, - for standard output; {_DEFAULT}")
    add("--title", default="GenAI report", help="heading of the page")
    add("--service", help="calls of this service only")
    add(
        "--by",
        action="append",
        default=[],
        metavar="KEY",
        help="a table by this attribute: genai_otel.tenant",
    )
    add(
        "--since",
        type=_said(period.moment),
        metavar="TIME",
        help="2026-11-23 or 2026-11-23T08:00+01:00; else UTC",
    )
    add("--until", type=_said(period.moment), metavar="TIME", help="the end; now")
    add(
        "--last",
        type=_said(period.seconds),
        metavar="LENGTH",
        help="in place of --since: 24h, 7d; of a Jaeger 24h",
    )
    add("--slowest", type=int, default=10, metavar="N", help="how many traces are drawn; 10")
    add("--content", action="store_true", help="show messages and arguments, if they are there")
    add(
        "--slo",
        type=_said(objective),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help=Objective.NAMES,
    )
    add(
        "--prices",
        metavar="FILE",
        help="prices of your own for calls whose cost nobody knew; GENAI_OTEL_PRICES",
    )
    add("--prometheus", metavar="URL", help="incidents of the period, by the history of its alerts")
    add(
        "--alerts",
        default="",
        metavar="MATCHERS",
        help="""which alerts are incidents: 'severity="page"'; all""",
    )


def _said(read: Callable[[str], _T]) -> Callable[[str], _T]:
    """The reader of a value, whose own words tell what is wrong with it."""

    def reader(text: str) -> _T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return reader
