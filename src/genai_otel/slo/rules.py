"""The recording rules that say what an SLO file says, for the alerts that are the same for all of them.

A service with objectives has series of its calls, of those that missed an objective, and of the objective itself; the
windows, the burn rates and the alerts are in the rules that come with genai-otel (``slo-alerts.yml``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from genai_otel import semconv
from genai_otel.report.objective import Objective
from genai_otel.slo.definition import EVERY, Slo

_BY: Final = "service_name, deployment_environment_name"
_HEAD: Final = "# Made by `genai-otel rules {files}`: change the files, not this one.\ngroups:\n"
_BUCKETS: Final = {
    "latency": "genai:call_duration_seconds_bucket:rate5m",
    "first-chunk": "genai:time_to_first_chunk_seconds_bucket:rate5m",
}


class _Rule(NamedTuple):
    record: str
    expr: str
    labels: Mapping[str, str]


def text(slos: Sequence[Slo]) -> str:
    """A file of rules for Prometheus."""
    named = sorted({slo.service for slo in slos} - {EVERY})
    lines = [_HEAD.format(files=" ".join(slo.file for slo in slos))]
    for slo in slos:
        lines.append(f"  - name: {_quoted(f'genai-slo {slo.file}')}\n    rules:\n")
        lines += map(_written, _rules(slo, named))
    return "".join(lines)


def _written(rule: _Rule) -> str:
    labels = "".join(f"          {name}: {_quoted(value)}\n" for name, value in rule.labels.items())
    return f"      - record: {rule.record}\n        labels:\n{labels}        expr: |\n          {rule.expr}\n"


def _rules(slo: Slo, named: Sequence[str]) -> Iterator[_Rule]:
    service = _matchers(slo, named)
    for objective in slo.objectives:
        labels = {"slo": slo.called(objective.name), **(slo.labels or {})}
        if objective.of == "score":
            yield from _of_score(objective, service, labels, slo.least_calls)
        elif objective.of == "cost-per-call":
            mean = f"genai:cost_per_call_usd:mean1h{_selected(service)}"
            yield _Rule("genai:slo_cost_per_call_usd:limit", f"0 * {mean} + {objective.limit!r}", labels)
        else:
            yield from _of_calls(objective, service, slo, labels)
    for window, limit in (slo.budget or {}).items():
        spent = f"sum by ({_BY}) (genai:cost_usd:increase1h{_selected(service)})"
        labels = {semconv.BUDGET_WINDOW.replace(".", "_"): window, **(slo.labels or {})}
        yield _Rule("genai:budget_usd:limit", f"0 * {spent} + {limit!r}", labels)


def _of_calls(
    objective: Objective, service: Sequence[str], slo: Slo, labels: Mapping[str, str]
) -> Iterator[_Rule]:
    matchers = [*service, *(_is(name, "=", value) for name, value in (slo.only or {}).items())]
    recorded = f"genai:slo_calls:rate5m{_selected([_is('slo', '=', labels['slo']), *service])}"
    if objective.of == "success":
        yield _Rule("genai:slo_calls:rate5m", _sum("genai:calls:rate5m", matchers), labels)
        failed = _sum("genai:calls:rate5m", [*matchers, _is("error_type", "!=", "")])
        yield _Rule(
            "genai:slo_missed:rate5m", f"{failed} or 0 * {_sum('genai:calls:rate5m', matchers)}", labels
        )
        share = objective.limit
    else:
        bucket = _BUCKETS[objective.of]
        every = _sum(bucket, [*matchers, _is("le", "=", "+Inf")])
        yield _Rule("genai:slo_calls:rate5m", every, labels)
        within = _sum(bucket, [*matchers, _is("le", "=", repr(objective.limit))])
        yield _Rule("genai:slo_missed:rate5m", f"{every} - {within}", labels)
        share = objective.quantile
    yield _Rule("genai:slo_objective:ratio", f"0 * {recorded} + {share!r}", labels)
    yield _Rule("genai:slo_least_calls:count", f"0 * {recorded} + {slo.least_calls}", labels)


def _of_score(
    objective: Objective, matchers: Sequence[str], labels: Mapping[str, str], least: int
) -> Iterator[_Rule]:
    evaluation = _is("gen_ai.evaluation.name", "=", objective.evaluation)
    mean = f"genai:evaluation_score:mean1d{_selected([*matchers, evaluation])}"
    yield _Rule("genai:slo_score:limit", f"0 * {mean} + {objective.limit!r}", labels)
    yield _Rule("genai:slo_least_scores:count", f"0 * {mean} + {least}", labels)


def _matchers(slo: Slo, named: Iterable[str]) -> list[str]:
    if slo.service != EVERY:
        found = [_is("service.name", "=", slo.service)]
    else:
        found = [_is("service.name", "!=", name) for name in ("", *named)]
    return found + ([_is("deployment.environment.name", "=", slo.environment)] if slo.environment else [])


def _sum(name: str, matchers: Iterable[str]) -> str:
    return f"sum by ({_BY}) ({name}{_selected(matchers)})"


def _selected(matchers: Iterable[str]) -> str:
    return "{" + ", ".join(matchers) + "}"


def _is(attribute: str, how: str, value: str) -> str:
    """A matcher of a label."""
    return f"{attribute.replace('.', '_')}{how}{_quoted(value)}"


def _quoted(text: str) -> str:
    """A text as JSON has it, which is as YAML and Prometheus read it, too."""
    return json.dumps(text, ensure_ascii=False)
