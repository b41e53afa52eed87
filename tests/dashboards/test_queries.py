"""Every query can be parsed, and keeps the rules: both profiles with `or`, times by the dashboard, no instances."""

from __future__ import annotations

import re
import sys

import pytest

from tests.dashboards.reading import Query, filled, of_panels, of_variables

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="the parser needs Python 3.11")

if sys.version_info >= (3, 11):
    import promql_parser as promql

    from genai_otel import metrics
    from genai_otel.gpu.table import METRICS
    from genai_otel.metrics import Instrument
    from genai_otel.quality import names

ASKED = [query for query in of_panels() if query.source == "prometheus"]
VARIABLES = of_variables()
TIMES = {"interval": "1m", "shown": "1h"}


def brief(query: Query) -> str:
    return f"{query.dashboard}-{query.panel}"


each = pytest.mark.parametrize("query", ASKED, ids=brief)
PROFILES = (
    ("gen_ai_client_operation_duration_seconds", "gen_ai_client_inference_duration_seconds"),
    ("gen_ai_client_operation_time_to_first_chunk", "gen_ai_client_inference_time_to_first_chunk"),
    ("gen_ai_client_operation_time_per_output_chunk", "gen_ai_client_inference_time_per_output_chunk"),
    ("gen_ai_client_token_usage", "gen_ai_client_inference_operation_"),
)
"""What a metric's name starts with in the older and in the newer profile."""

RETRIEVALS = 'gen_ai_operation_name="retrieval"'


def parsed(query: Query) -> promql.Expr:
    return promql.parse(filled(query.expr, {}, **TIMES))


def binary(expr: promql.Expr) -> list[promql.BinaryExpr]:
    """The places in an expression where two are put together."""
    found: list[promql.BinaryExpr] = []

    def look(node: promql.Expr) -> bool:
        if isinstance(node, promql.BinaryExpr):
            found.append(node)
        return True

    promql.walk(expr, look)
    return found


@each
def test_a_query_is_promql(query: Query) -> None:
    assert parsed(query)


@pytest.mark.parametrize("query", VARIABLES, ids=brief)
def test_a_variable_asks_for_the_values_of_a_label(query: Query) -> None:
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query.expr)
    assert found, query
    assert promql.parse(filled(found[1], {}, **TIMES))


@each
def test_both_profiles_are_read_with_or(query: Query) -> None:
    assert one_profile(query) == []


@pytest.mark.parametrize(
    "expr",
    [
        "sum(rate(gen_ai_client_operation_duration_seconds_count[1m]))",
        "rate(gen_ai_client_token_usage_sum[1m]) + rate(gen_ai_client_inference_operation_input_tokens_sum[1m])",
    ],
)
def test_the_rule_of_both_profiles_is_strict(expr: str) -> None:
    assert len(one_profile(Query("", "", "prometheus", expr))) == 1


def one_profile(query: Query) -> list[str]:
    """The older names that are read alone, or with the newer by something else than `or`."""
    found = binary(parsed(query))
    wrong: list[str] = []
    for older, newer in PROFILES:
        joined = [node for node in found if joins(node, older, newer)]
        alone = older in query.expr and not joined
        # Retrievals have one name in both.
        if (alone and RETRIEVALS not in query.expr) or any(f"{node.op}" != "or" for node in joined):
            wrong.append(older)
    return wrong


def joins(node: promql.BinaryExpr, older: str, newer: str) -> bool:
    """Whether a side has only one profile, and the other side the other."""
    sides = [(older in side, newer in side) for side in (node.lhs.prettify(), node.rhs.prettify())]
    return sides in ([(True, False), (False, True)], [(False, True), (True, False)])


def test_the_two_profiles_are_those_of_the_library() -> None:
    older, newer = (
        {each.name.replace(".", "_") for each in profile} for profile in (metrics.STABLE, metrics.LATEST)
    )
    assert all(any(name.startswith(old.removesuffix("_seconds")) for name in older) for old, _ in PROFILES)
    assert all(any(name.startswith(new.removesuffix("_seconds")) for name in newer) for _, new in PROFILES)


@each
def test_times_are_the_dashboards(query: Query) -> None:
    assert set(re.findall(r"\[([^]]+)\]", query.expr)) <= {"$__rate_interval", "$__range"}


@each
def test_nothing_goes_by_instance(query: Query) -> None:
    assert not re.search(r"\binstance\b|service_instance_id|\bpod\b", query.expr + query.legend)


@each
def test_a_legend_names_labels_that_the_query_keeps(query: Query) -> None:
    named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
    kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", query.expr))))
    assert named <= kept


NOT_SHOWN = {
    "gen_ai.client.inference.usage.input_tokens": "the histogram per call has the same sum",
    "gen_ai.client.inference.usage.output_tokens": "the histogram per call has the same sum",
    "genai_otel.budget.ratio": "of one process; what a service spent is summed first",
    "http.server.request.duration": "of web apps, not of models",
}


def test_every_metric_of_the_library_is_on_a_dashboard() -> None:
    asked = " ".join(query.expr for query in ASKED)
    known = {
        each.name for room in (metrics, names) for each in vars(room).values() if isinstance(each, Instrument)
    }
    known |= {each for name, each in vars(metrics).items() if name.isupper() and isinstance(each, str)}
    known |= {each.name for each in METRICS}
    hidden = {name for name in known if not re.search(rf"\b{name.replace('.', '_')}(_|\b)", asked)}
    assert hidden == NOT_SHOWN.keys()
