"""The options of ``genai-otel report``, apart from what carries it out."""

from __future__ import annotations

import argparse
from typing import Final

_DEFAULT: Final = "genai-otel-report.html"


def declare(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    parser.add_argument(
        "source", nargs="+", help="file of OTLP JSON lines (.gz too), folder of them, - for stdin"
    )
    parser.add_argument(
        "-o", "--output", default=_DEFAULT, help=f"where the page goes, - for stdout; {_DEFAULT}"
    )
    parser.add_argument("--title", default="GenAI report", help="heading of the page")
    parser.add_argument("--service", help="calls of this service only")
    parser.add_argument("--slowest", type=int, default=10, metavar="N", help="how many traces are drawn; 10")
    parser.add_argument(
        "--content", action="store_true", help="show messages and arguments, if they are in the file"
    )
