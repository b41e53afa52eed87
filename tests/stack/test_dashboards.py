"""Every query of every panel and variable finds something, in both profiles, and every link leads somewhere.

The back ends are real, and filled by `traffic.py`, which runs as three services: `shop` with the older names of
metrics, `desk` with the newer, `club` with both.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import sys
import time
import urllib.error
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from boards import queries as q
from tests.dashboards.reading import Query, filled, of_panels, of_variables
from tests.dashboards.test_provisioning import SOURCES
from tests.gpu.nvml import FakeNvml
from tests.gpu.test_readings import ALL, WHOLE
from tests.harness.process import Process
from tests.harness.stack import Stack
from tests.stack.sending import chat, tracing

TRAFFIC = Path(__file__).with_name("traffic.py")
PROFILES = {"shop": "", "desk": "gen_ai_latest_experimental", "club": "gen_ai_latest_experimental/dup"}
NEWER_ONLY = "gen_ai_client_inference_usage_"
"""What the older names do not tell."""

TIMES = {"interval": "1m", "shown": "5m"}
LOST = 15  # a driver's word for a GPU that is gone
PATIENCE = 120.0  # seconds: two scrapes of the Collector, and the rules' intervals


@dataclass(frozen=True)
class Asked:
    """A query for one service, or for all of them."""

    query: Query
    service: str

    def text(self) -> str:
        choices = {"service": self.service, "environment": ".*" if self.service == ".*" else "test"}
        expr = filled(self.query.expr, choices, **TIMES)
        return re.sub(r"\$\w+", ".*", expr)


class Answers:
    """What the back ends say to the queries, as Grafana asks them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.since = time.time() - 300

    def to(self, asked: Asked) -> Any:
        """The answer; something empty where there is none."""
        query = asked.query
        if query.panel.startswith("$"):
            return self._values(asked.text())
        if query.source == "prometheus":
            return self._series(asked.text(), instant=query.instant)
        if query.source == "loki":
            return self.stack.loki.query(asked.text())
        assert isinstance(query.asked, dict)
        return self.traces(asked.service, query.asked)

    def exemplars(self, asked: Asked) -> list[str]:
        """The traces that the dots on a panel's lines lead to."""
        found = self.stack.prometheus.get(
            "/api/v1/query_exemplars", query=asked.text(), start=self.since, end=time.time()
        )
        return [dot["labels"]["trace_id"] for series in found["data"] for dot in series["exemplars"]]

    def trace(self, ids: Iterable[str]) -> list[dict[str, Any]]:
        """The spans of the first of these traces that Jaeger has."""
        for trace_id in ids:
            with contextlib.suppress(urllib.error.HTTPError):  # 404: it is on its way, or was not sampled
                return self.stack.jaeger.get(f"/api/traces/{trace_id}")["data"][0]["spans"]
        return []

    def traces(self, service: str, search: dict[str, Any]) -> list[Any]:
        pairs = dict(pair.split("=", 1) for pair in search.get("tags", "").split())
        more = {"minDuration": search["minDuration"]} if "minDuration" in search else {}
        found = self.stack.jaeger.get(
            "/api/traces",
            service=service,
            tags=json.dumps(pairs),
            limit=search["limit"],
            start=int(self.since * 1e6),
            end=int(time.time() * 1e6),
            **more,
        )
        return found["data"]

    def _values(self, text: str) -> list[str]:
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", text).groups()  # pyright: ignore[reportOptionalMemberAccess] - a quick test has seen that it is of this form
        return self.stack.prometheus.get(f"/api/v1/label/{label}/values", **{"match[]": selector})["data"]

    def _series(self, text: str, *, instant: bool) -> list[float]:
        if instant:
            found = [series["value"] for series in self.stack.prometheus.query(text)]
        else:
            answer = self.stack.prometheus.get(
                "/api/v1/query_range", query=text, start=self.since, end=time.time(), step=5
            )
            found = [value for series in answer["data"]["result"] for value in series["values"]]
        return [number for _, said in found if math.isfinite(number := float(said))]


def everything() -> Iterator[Asked]:
    """Each query for all services, and for each one where it can be asked so."""
    for query in (*of_panels(), *of_variables()):
        if query.source == "jaeger":
            services = [*PROFILES]
        elif "$service" in query.expr:
            services = [".*", *(name for name in PROFILES if name != "shop" or NEWER_ONLY not in query.expr)]
        else:
            services = [".*"]
        yield from (Asked(query, service) for service in services)


@pytest.fixture(scope="module")
def answers(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """The back ends, with the traffic going on."""
    nvml = FakeNvml(tmp_path_factory.mktemp("nvml"))
    nvml.set(**{key.replace(".", "__"): value for key, value in WHOLE.items()}, gpus=2, gpu1__fail=LOST)
    environ = nvml.environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=stack.otlp_http,
        OTEL_METRIC_EXPORT_INTERVAL="1000",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
        **ALL,
    )
    with contextlib.ExitStack() as running:
        services = [
            running.enter_context(
                Process(
                    [sys.executable, str(TRAFFIC), "3600"],
                    env={**environ, "OTEL_SERVICE_NAME": name, "OTEL_SEMCONV_STABILITY_OPT_IN": profile},
                )
            )
            for name, profile in PROFILES.items()
        ]
        for service in services:
            service.wait_for("began")
        yield Answers(stack)


def until_none(answers: Answers, asked: list[Asked]) -> list[Asked]:
    """The queries that stay empty until patience ends."""
    end = time.monotonic() + PATIENCE
    while asked and time.monotonic() < end:
        time.sleep(3)
        asked = [each for each in asked if not answers.to(each)]
    return asked


def test_no_query_of_a_dashboard_is_empty(answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    asked = list(everything())
    empty = until_none(answers, asked)

    with capsys.disabled():
        print(table(asked, empty))
    assert [f"{each.service}: {each.query}" for each in empty] == []


def table(asked: list[Asked], empty: list[Asked]) -> str:
    """Per dashboard: its panels and variables, how many queries were asked of them, and how many found nothing."""
    found: dict[str, list[int]] = {}
    for name in [*sorted({each.query.dashboard for each in asked}), ""]:
        its = [each.query for each in asked if each.query.dashboard == name or not name]
        panels = {(each.dashboard, each.panel) for each in its}
        variables = {panel for panel in panels if panel[1].startswith("$")}
        without = sum(each.query.dashboard == name or not name for each in empty)
        found[name or "all"] = [len(panels - variables), len(variables), len(its), without]
    lines = [f"{name:<12}" + "".join(f"{number:>11}" for number in row) for name, row in found.items()]
    return "\n".join(
        [f"\n{'dashboard':<12}{'panels':>11}{'variables':>11}{'queries':>11}{'empty':>11}", *lines]
    )


def test_every_call_counts_once_in_every_profile(answers: Answers) -> None:
    """What a service sends under both names is what it sends under the older ones."""
    calls = filled(q.total(q.calls(over="increase"), q.OPERATION), {"service": "SERVICE"}, **TIMES)
    calls = re.sub(r"\$\w+", ".*", calls)
    older = re.sub(r" or increase\(gen_ai_client_inference.+?\]\)", "", calls)
    assert older != calls

    def counted(query: str, service: str) -> dict[str, float]:
        found = answers.stack.prometheus.query(query.replace("SERVICE", service), at=moment)
        return {each["metric"][q.OPERATION]: float(each["value"][1]) for each in found}

    moment = time.time()
    assert counted(calls, "club") == pytest.approx(counted(older, "club"))
    assert {*counted(calls, "shop")} == {*counted(calls, "desk")} >= {"chat", "embeddings", "retrieval"}


def test_a_service_that_does_not_run_genai_otel_is_on_the_overview(stack: Stack) -> None:
    """The Collector measures its spans under the same names."""
    [by_service] = [query for query in of_panels() if query.panel == "Calls by service"]
    asked = re.sub(r"\$\w+", ".*", filled(by_service.expr, {"service": "elsewhere"}, **TIMES)) + " > 0"
    with tracing(stack.otlp_http, "elsewhere") as provider:

        def calls() -> list[dict[str, Any]]:
            chat(provider, gen_ai__request__model="gpt-4o")
            return stack.prometheus.query(asked)

        [series] = stack.prometheus.until(calls)
    assert series["metric"] == {"service_name": "elsewhere"}


@pytest.mark.parametrize("service", PROFILES)
def test_a_dot_on_a_line_leads_to_its_trace(service: str, answers: Answers) -> None:
    drawn = [each for each in everything() if each.query.exemplars and each.service == service]
    until = answers.stack.prometheus.until
    without = [f"{each.query}" for each in drawn if not until(lambda each=each: answers.exemplars(each))]
    assert (len(drawn) > 20, without) == (True, [])
    spans = until(lambda: answers.trace(dict.fromkeys(answers.exemplars(drawn[0]))))
    assert any(span["operationName"].startswith("chat ") for span in spans)


@pytest.mark.parametrize("service", PROFILES)
def test_a_trace_leads_to_its_logs_and_a_line_of_them_back(service: str, answers: Answers) -> None:
    to_logs = SOURCES["jaeger"]["jsonData"]["tracesToLogsV2"]
    [to_trace] = SOURCES["loki"]["jsonData"]["derivedFields"]
    [trace, *_] = answers.stack.jaeger.until(
        lambda: answers.traces(service, {"tags": "error=true", "limit": 5})
    )
    asked = replaced(to_logs["query"], tags(to_logs["tags"], service), trace["traceID"])
    lines = answers.stack.loki.wait(asked)
    assert {stream["stream"][to_trace["matcherRegex"]] for stream in lines} == {trace["traceID"]}


@pytest.mark.parametrize("service", PROFILES)
def test_a_trace_leads_to_its_metrics(service: str, answers: Answers) -> None:
    to_metrics = SOURCES["jaeger"]["jsonData"]["tracesToMetrics"]
    for query in to_metrics["queries"]:
        asked = replaced(query["query"], tags(to_metrics["tags"], service), "").replace(
            "$$__rate_interval", "1m"
        )
        assert answers.stack.prometheus.wait(asked)


def tags(wanted: list[dict[str, str]], service: str) -> str:
    """What Grafana makes of the tags of a span of a service that asked for a model."""
    of_span = {"service.name": service, "gen_ai.request.model": "gpt-4o-mini"}
    return ", ".join(f'{tag["value"]}="{of_span[tag["key"]]}"' for tag in wanted)


def replaced(query: str, tags: str, trace_id: str) -> str:
    """A query of the provisioning, as Grafana asks it from a span."""
    query = re.sub(r"\$\$(\{__tags\}|__tags)", lambda _: tags, query)
    return query.replace("$${__trace.traceId}", trace_id)
