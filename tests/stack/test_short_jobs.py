"""Two hundred jobs that live for one call: their cost is exact, and their number makes no series."""

from __future__ import annotations

from typing import Final

import pytest

from genai_otel.testing import ModelServer
from tests.harness.process import run
from tests.harness.stack import Stack

JOBS: Final = 200
_SERVICE: Final = "short-jobs"

# Each job is a process of its own, with a set-up and an exit of its own; it is forked because starting Python two
# hundred times tells nothing more of the Collector.
_JOBS: Final = """
import os, sys
import openai, genai_otel
# What each job needs is loaded once.
import openai.resources.chat, openai.resources.responses
import opentelemetry.sdk._logs.export, opentelemetry.sdk.metrics.export
import opentelemetry.exporter.otlp.proto.http._log_exporter
import opentelemetry.exporter.otlp.proto.http.metric_exporter
import opentelemetry.exporter.otlp.proto.http.trace_exporter
openai.OpenAI(base_url=sys.argv[3], api_key="none").close()

def job():
    handle = genai_otel.setup(service_name=sys.argv[1])
    client = openai.OpenAI(base_url=sys.argv[3], api_key="none", max_retries=0)
    client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Good day!"}])
    told = genai_otel.flush(60)
    handle.shutdown()
    return told

def start():
    if os.fork() == 0:
        told = False
        try:
            told = job()
        finally:
            os._exit(not told)

delivered = 0
for number in range(int(sys.argv[2])):
    if number >= 8:
        delivered += os.wait()[1] == 0
    start()
delivered += sum(os.wait()[1] == 0 for _ in range(min(8, int(sys.argv[2]))))
print(delivered)
"""


def test_their_cost_is_exact_and_their_series_are_few(stack: Stack) -> None:
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": stack.otlp_http,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "60",
        "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": "delta",
        "OTEL_RESOURCE_ATTRIBUTES": "service.instance.id=job",  # of what is no difference: gauges
    }
    with ModelServer() as model:
        run(_JOBS, arguments=("one-job", "1", model.base_url), env=env, timeout=60).ok()
        done = run(_JOBS, arguments=(_SERVICE, str(JOBS), model.base_url), env=env, timeout=600).ok()
    assert int(done.out) == JOBS  # all have been told that theirs was taken
    one = stack.prometheus.wait('genai_otel_client_cost_USD_total{service_name="one-job"}')

    calls = f'sum(gen_ai_client_operation_duration_seconds_count{{service_name="{_SERVICE}"}})'
    stack.prometheus.reaches(calls, JOBS)
    cost = stack.prometheus.query(f'genai_otel_client_cost_USD_total{{service_name="{_SERVICE}"}}')
    assert len(cost) == len(one)
    wanted = JOBS * sum(float(series["value"][1]) for series in one)
    assert sum(float(series["value"][1]) for series in cost) == pytest.approx(wanted, rel=1e-12)

    # Of a day, too: a total begins with nothing, and what a first job has spent is more than that.
    daily = f'sum(increase(genai_otel_client_cost_USD_total{{service_name="{_SERVICE}"}}[1d] anchored))'
    assert stack.prometheus.value(daily) == pytest.approx(wanted, rel=1e-12)
    series, of_one = _series(stack, _SERVICE), _series(stack, "one-job")
    print(f"{JOBS} jobs: {wanted:.6f} USD, {len(series)} series, of one job {len(of_one)}")
    assert series == of_one


def _series(stack: Stack, service: str) -> set[tuple[tuple[str, str], ...]]:
    """Those that the jobs have sent, without their service."""
    found = stack.prometheus.query(f'{{service_name="{service}",__name__!~"genai:.*"}}')
    of_it = ("service_name", "job")
    return {tuple(sorted(pair for pair in one["metric"].items() if pair[0] not in of_it)) for one in found}
