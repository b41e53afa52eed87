"""What one call sends: spans, bytes of the OTLP message per span, metric series.

``python -m tests.benchmarks.exported`` is the measuring process.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from typing import NamedTuple

from tests.benchmarks import subjects
from tests.benchmarks.workloads import WORKLOADS

CALLS = 100


class Exported(NamedTuple):
    """Per chat call, in a batch of 100; ``series`` is the number of metric points after all of them."""

    spans: float
    attributes: int
    bytes: float
    compressed: float
    series: int


def measure() -> Exported:
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    session = subjects.set_up("genai_otel")
    WORKLOADS["chat"].make()(CALLS)
    session.flush()
    message = encode_spans(session.exporter.last).SerializeToString()
    return Exported(
        session.exporter.count / CALLS,
        len(session.exporter.last[0].attributes or {}),
        len(message) / CALLS,
        len(gzip.compress(message)) / CALLS,
        session.series(),
    )


def exported(mode: str = "default") -> Exported:
    """:func:`measure` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        env=subjects.environment(mode),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Exported(*json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    print(json.dumps(measure()))
