"""What ``import genai_otel; genai_otel.setup()`` costs beside the same SDK set-up written by hand.

Every figure is the CPU time of a fresh process, interpreter included, that ends without shutting down; the
smaller of several, because noise only adds.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import NamedTuple

from tests.benchmarks import subjects

EMPTY = ""

BY_HAND = """
from opentelemetry import metrics, trace
from opentelemetry._logs import set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

resource = Resource.create({"service.name": "app"})
traces = TracerProvider(resource=resource)
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(traces)
metrics.set_meter_provider(MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter())], resource))
logs = LoggerProvider(resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)
"""

OURS = """
import genai_otel

genai_otel.setup(service_name="app")
"""

CLIENTS = """
import time
from genai_otel.engine import patch

began = time.thread_time_ns()
from genai_otel.clients import CLIENTS

patch.expect(CLIENTS)
print((time.thread_time_ns() - began) / 1e6)
"""

MODULES = """
import json, os, sys
print(json.dumps(sorted(sys.modules)), flush=True)
"""
LEAVE = """
import os
os._exit(0)
"""

ENVIRONMENT = {
    # The discard port: the set-up sends nothing, and nobody may answer if it did.
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
}

NEVER = (
    "openai",
    "httpx",
    "httpx2",
    "pydantic",
    "grpc",
    "fastapi",
    "starlette",
    "wrapt",
    "uvicorn",
    "asyncio",
)
"""What ``setup()`` must not import; wrapt and asyncio because of what they cost."""


class Startup(NamedTuple):
    """CPU milliseconds of the whole process, and the modules that ours has beyond those of the set-up by hand."""

    empty: float
    by_hand: float
    ours: float
    clients: float
    """What waiting for all clients takes of ours."""
    modules: list[str]

    @property
    def added(self) -> float:
        return self.ours - self.by_hand

    @property
    def foreign(self) -> list[str]:
        """The modules that only our set-up imported and that are not ours."""
        return [name for name in self.modules if name.partition(".")[0] != "genai_otel"]

    @property
    def forbidden(self) -> list[str]:
        """Packages that only our set-up imported, and must not."""
        return sorted({name.partition(".")[0] for name in self.modules} & set(NEVER))


def startup(repeat: int = 7) -> Startup:
    """Measure both in turn, ``repeat`` times."""
    programs = (EMPTY, BY_HAND, OURS)
    rounds = [[_cpu(program + LEAVE) for program in programs] for _ in range(repeat + 1)][1:]
    empty, by_hand, ours = (min(times) for times in zip(*rounds, strict=True))
    clients = min(float(_run(CLIENTS)) for _ in range(repeat + 1))
    more = set(_modules(OURS)) - set(_modules(BY_HAND))
    return Startup(empty, by_hand, ours, clients, sorted(more))


def _cpu(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _run(program)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def _modules(program: str) -> list[str]:
    return json.loads(_run(program + MODULES + LEAVE).splitlines()[-1])


def _run(program: str) -> str:
    # Without compiled files, which an installed package has, our modules would be compiled in every process.
    kept = {
        name: value
        for name, value in subjects.environment().items()
        if not name.startswith("OTEL_") and name != "PYTHONDONTWRITEBYTECODE"
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"a set-up failed:\n{done.stderr[-2000:]}")
    return done.stdout
