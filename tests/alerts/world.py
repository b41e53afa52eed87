"""A day on which nothing is wrong, as series for promtool: whole, with a gap, and with a restart of everything.

Written into `collector-config/prometheus/tests` by `make docs`, because promtool reads files; a test says when they are
stale.  What must fire on its fault is written by hand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

TESTS: Final = Path(__file__).parents[2] / "collector-config" / "prometheus" / "tests"
RULES: Final = TESTS.parent / "rules"

_MINUTES: Final = 18 * 60
_AT: Final = 14 * 60  # minutes after which the gap comes, or the restart
_GAP: Final = 90
_BOUNDS: Final = (0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96)
_SCORES: Final = (1, 2, 3, 4, 5)

Shape = Callable[[float, float], str]
"""The values of a series that starts with the one number and grows by the other each minute."""


class Series(NamedTuple):
    name: str
    labels: dict[str, str]
    start: float
    growth: float

    def written(self, shape: Shape) -> str:
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"      - {{series: '{self.name}{{{labels}}}', values: '{shape(self.start, self.growth)}'}}\n"


def whole(start: float, growth: float) -> str:
    return f"{start:g}+{growth:g}x{_MINUTES}"


def with_gap(start: float, growth: float) -> str:
    later = start + growth * (_AT + _GAP)
    return f"{start:g}+{growth:g}x{_AT} _x{_GAP} {later:g}+{growth:g}x{_MINUTES - _AT - _GAP}"


def restarted(start: float, growth: float) -> str:
    return f"{start:g}+{growth:g}x{_AT} {start:g}+{growth:g}x{_MINUTES - _AT}"


def series() -> Iterator[Series]:
    """The series of a normal day."""
    for service, latest in (("genai-otel-demo", False), ("search", True)):
        yield from _calls(service, latest=latest)
    yield from _more("genai-otel-demo")
    yield from _gpu()
    yield from _collector()


def _calls(service: str, *, latest: bool) -> Iterator[Series]:
    of = {
        "service_name": service,
        "deployment_environment_name": "prod",
        "gen_ai_operation_name": "chat",
        "gen_ai_provider_name": "openai",
        "gen_ai_request_model": "gpt-4o-mini",
        "server_address": "api.openai.com",
        "server_port": "443",
    }
    what = "inference" if latest else "operation"
    yield from _histogram(
        f"gen_ai_client_{what}_duration_seconds", of, 60, within=(0.2, 0.6, 0.9, 0.97, 0.99, 1, 1)
    )
    yield from _histogram(
        f"gen_ai_client_{what}_duration_seconds", of | {"error_type": "RateLimitError"}, 0.06, within=(1,) * 7
    )
    yield from _histogram(
        f"gen_ai_client_{what}_time_to_first_chunk_seconds", of, 30, within=(0.8, 0.9, 0.99, 1, 1, 1, 1)
    )
    for status, requests in (("200", 60), ("429", 1)):
        answered = of | {"http_response_status_code": status}
        yield Series("http_client_request_duration_seconds_count", answered, 0, requests)
    for kind, tokens in (("input", 600), ("output", 150)):
        if latest:
            yield Series(
                f"gen_ai_client_inference_usage_{kind}_tokens_total",
                of | {"gen_ai_token_modality": "text"},
                0,
                60 * tokens,
            )
            name, labels = f"gen_ai_client_inference_operation_{kind}_tokens", of
        else:
            name, labels = "gen_ai_client_token_usage", of | {"gen_ai_token_type": kind}
        yield Series(f"{name}_sum", labels, 0, 60 * tokens)
        yield Series(f"{name}_count", labels, 0, 60)
    priced = {name: value for name, value in of.items() if not name.startswith("server")}
    yield Series(
        "genai_otel_client_cost_USD_total", priced | {"genai_otel_cost_component": "input"}, 0, 0.005
    )
    yield Series("genai_otel_client_cost_unpriced_total", priced | {"error_type": "unknown_model"}, 0, 0.06)
    yield Series(
        "genai_otel_info_ratio", {"service_name": service, "deployment_environment_name": "prod"}, 1, 0
    )


def _histogram(
    name: str, labels: dict[str, str], growth: float, within: tuple[float, ...]
) -> Iterator[Series]:
    for bound, share in zip(_BOUNDS, within, strict=True):
        yield Series(f"{name}_bucket", labels | {"le": f"{bound}"}, 0, growth * share)
    yield Series(f"{name}_bucket", labels | {"le": "+Inf"}, 0, growth)
    yield Series(f"{name}_count", labels, 0, growth)


def _more(service: str) -> Iterator[Series]:
    """Agents, evaluations, budgets, and what a process says of itself."""
    of = {"service_name": service, "deployment_environment_name": "prod"}
    agent = of | {"gen_ai_agent_name": "clerk"}
    yield Series("gen_ai_invoke_agent_duration_seconds_count", agent, 0, 2)
    yield Series("gen_ai_invoke_agent_inference_calls_count", agent, 0, 2)
    yield Series("gen_ai_invoke_agent_inference_calls_bucket", agent | {"le": "32"}, 0, 2)
    yield Series("genai_otel_agent_active", agent, 1, 0)
    yield Series("genai_otel_budget_ratio", of | {"genai_otel_budget_window": "day"}, 0.4, 0)
    evaluated = of | {"gen_ai_evaluation_name": "user_feedback"}
    for label, growth in (("good", 1.0), ("fail", 0.05)):
        yield Series(
            "genai_otel_evaluation_results_total",
            evaluated | {"gen_ai_evaluation_score_label": label},
            0,
            growth,
        )
    yield Series("genai_otel_evaluation_errors_total", evaluated | {"error_type": "TimeoutError"}, 0, 0.01)
    yield Series("genai_otel_evaluation_score_sum", evaluated, 0, 4)
    yield Series("genai_otel_evaluation_score_count", evaluated, 0, 1)
    yield Series("genai_otel_dropped_total", of | {"signal": "spans", "reason": "queue_full"}, 3, 0)
    yield Series("genai_otel_internal_errors_total", of | {"genai_otel_component": "engine"}, 1, 0)


def _gpu() -> Iterator[Series]:
    of = {"service_name": "search", "hw_id": "GPU-1", "hw_name": "GPU 0", "host_name": "node-1"}
    yield Series("hw_gpu_utilization_ratio", of | {"hw_gpu_task": "general"}, 0.8, 0)
    yield Series("hw_gpu_memory_utilization_ratio", of, 0.9, 0)
    yield Series("hw_temperature_celsius", of | {"hw_sensor_location": "gpu"}, 70, 0)
    yield Series("hw_temperature_limit_celsius", of | {"hw_limit_type": "high.degraded"}, 87, 0)
    for reason, growth in (("sw_power_cap", 30), ("hw_thermal_slowdown", 0.5)):
        labels = of | {"genai_otel_gpu_throttle_reason": reason}
        yield Series("genai_otel_gpu_clock_throttled_time_seconds_total", labels, 0, growth)
    for state in ("ok", "failed"):
        yield Series("hw_status", of | {"hw_state": state}, int(state == "ok"), 0)
    yield Series("hw_energy_joules_total", of, 5e9, 30_000)
    yield Series("hw_errors_total", of | {"error_type": "uncorrected"}, 2, 0)


def _collector() -> Iterator[Series]:
    of = {"job": "otelcol", "instance": "otelcol:8888"}
    yield Series("up", of, 1, 0)
    for exporter in ("otlp_grpc/jaeger", "otlp_http/prometheus"):
        labels = of | {"exporter": exporter}
        yield Series("otelcol_exporter_queue_size", labels, 1000, 0)
        yield Series("otelcol_exporter_queue_capacity", labels, 100_000, 0)
        for what in ("spans", "metric_points", "log_records"):
            yield Series(f"otelcol_exporter_send_failed_{what}", labels, 5, 0)
            yield Series(f"otelcol_exporter_enqueue_failed_{what}", labels, 5, 0)
    for what in ("spans", "metric_points", "log_records"):
        yield Series(f"otelcol_receiver_refused_{what}", of | {"receiver": "otlp"}, 7, 0)
    yield Series("prometheus_rule_evaluation_failures_total", {"rule_group": "genai-calls"}, 0, 0)
    yield Series("prometheus_notifications_errors_total", {"alertmanager": "am"}, 0, 0)
    yield Series("alertmanager_notifications_failed_total", {"integration": "slack"}, 0, 0)


_HEAD: Final = """\
# {title}
# Made by `make docs` from tests/alerts/world.py: change that, not this one.
rule_files: [../rules/*.yml]
evaluation_interval: 4m
tests:
  - name: {title}
    interval: 1m
    input_series:
"""
_ALERTS: Final = 'group by (alertname) (ALERTS{alertstate="firing"})'
_RECORDED: Final = 'group by (__name__) ({__name__=~"genai:.+"})'


def rules() -> list[dict[str, Any]]:
    """Every rule that comes with genai-otel."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(RULES.glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def _test(title: str, shape: Shape, fires: dict[int, Sequence[str]]) -> str:
    """What all rules make of a day: exactly these alerts at these minutes, and at its end each recorded series."""
    lines = [_HEAD.format(title=title), *(each.written(shape) for each in series())]
    lines.append("    promql_expr_test:\n")
    for minute, alerts in fires.items():
        lines += _samples(_ALERTS, minute, [f'{{alertname="{name}"}}' for name in alerts])
    lines += _samples(_RECORDED, _MINUTES, sorted({rule["record"] for rule in rules() if "record" in rule}))
    return "".join(lines)


def _samples(expr: str, minute: int, found: Sequence[str]) -> Iterator[str]:
    yield f"      - expr: '{expr}'\n        eval_time: {minute}m\n        exp_samples:{'' if found else ' []'}\n"
    for labels in found:
        yield f"          - {{labels: '{labels}', value: 1}}\n"


_TOGETHER: Final = ("GenAINoData", "PipelineNoCollector")


def files() -> Iterator[tuple[Path, str]]:
    """Each generated file with its text."""
    quiet: dict[int, Sequence[str]] = dict.fromkeys((5, 60, 6 * 60, _AT, _AT + 5, _AT + 60, _MINUTES), ())
    yield TESTS / "normal-day.test.yml", _test("a normal day is silent", whole, quiet)
    yield TESTS / "restart.test.yml", _test("a restart of everything is silent", restarted, quiet)
    gap = {**quiet, _AT + 60: _TOGETHER, _AT + _GAP + 10: ()}
    del gap[_AT + 5]
    title = "without data nothing fires but the alerts that say so"
    yield TESTS / "missing-data.test.yml", _test(title, with_gap, dict(sorted(gap.items())))


if __name__ == "__main__":
    for path, text in files():
        path.write_text(text, encoding="utf-8")
