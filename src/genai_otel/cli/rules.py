"""``genai-otel rules``: rules of Prometheus out of SLO files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from genai_otel.slo.definition import together
from genai_otel.slo.rules import text
from genai_otel.slo.source import SloError


def run(files: Sequence[str], output: str) -> int:
    """Write the rules of ``files``, to standard output with ``-``; exit code 1 where there is something wrong."""
    try:
        made = text(together(map(Path, files)))
    except SloError as error:
        print(error, file=sys.stderr)
        return 1
    if output == "-":
        print(made, end="")
        return 0
    try:
        Path(output).write_text(made, encoding="utf-8")
    except OSError as error:
        print(f"{output} cannot be written: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0
