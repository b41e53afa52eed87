"""``genai-otel doctor``: what is installed and on, where telemetry goes and whether it is taken there.

It looks and asks; it exports nothing, opens no port and imports no client.  Run by itself it describes what a
program in this environment gets; a program that calls ``genai_otel.cli.main(["doctor"])`` hears about itself.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping

from genai_otel import runtime
from genai_otel.cli import environment, inside, packages
from genai_otel.cli.exporting import exporting
from genai_otel.cli.finding import Finding
from genai_otel.cli.gpus import gpus
from genai_otel.clients import CLIENTS, SPECS
from genai_otel.config import Config
from genai_otel.console.terminal import Piece, Terminal
from genai_otel.engine import patch
from genai_otel.fence import contain

_STYLES = {"ok": "green", "note": "yellow", "problem": "red"}
_LAUNCHER = "opentelemetry.instrumentation.auto_instrumentation"


def run(*, as_json: bool = False) -> int:
    """Print the findings; returns 0 when nothing is wrong, 1 when there is a problem."""
    found = list(findings(os.environ))
    healthy = all(finding.level != "problem" for finding in found)
    if as_json:
        print(json.dumps({"healthy": healthy, "findings": [finding.json() for finding in found]}, indent=2))
    else:
        print("\n".join(_lines(found, Terminal.of(sys.stdout))))
    return 0 if healthy else 1


def findings(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Everything that doctor knows, area by area; one that fails is a finding of the last."""
    config = Config.load({}, environ, lenient=True)
    disabled = [name.strip() for name in environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")]
    current = runtime.current()
    areas: tuple[Callable[[], Iterable[Finding]], ...] = (
        packages.versions,
        lambda: packages.clients(SPECS, config.mode, patch.installed()),
        lambda: packages.others(CLIENTS, disabled),
        lambda: packages.distros(environ, launched=_LAUNCHER in sys.modules),
        lambda: exporting(config, environ),
        lambda: gpus(config, environ),
        lambda: inside.handle(current) if current else (),
        lambda: environment.content(config),
        lambda: environment.settings(config, environ),
    )
    for area in areas:
        with contain("doctor"):
            yield from area()
    yield from inside.trouble()


def _lines(found: Iterable[Finding], terminal: Terminal) -> Iterator[str]:
    area = ""
    count = {"note": 0, "problem": 0}
    for finding in found:
        if finding.area != area:
            yield ("\n" if area else "") + terminal.line([Piece(finding.area, "bold")])
            area = finding.area
        if finding.level != "ok":
            count[finding.level] += 1
        yield f"  {terminal.line([Piece(f'{finding.level:<8}', _STYLES[finding.level])]):<8} {finding.text}"
        if finding.advice:
            yield f"           {terminal.arrow} {finding.advice}"
    yield ""
    notes = f", {count['note']} to know" if count["note"] else ""
    yield f"{count['problem']} problems{notes}" if count["problem"] else f"healthy{notes}"
