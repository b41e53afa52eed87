"""Every query can be parsed, and keeps the rules: both profiles with `or`, times by the dashboard, no instances."""

from __future__ import annotations

import re
import sys

import pytest

from tests.dashboards.reading import Query, dashboards, filled, of_panels, of_variables

pytest.importorskip("promql_parser", reason="it needs Python 3.11, and environments of clients lack it")

if sys.version_info >= (3, 11):
    import promql_parser as promql

    from genai_otel import metrics
    from genai_otel.gpu.table import METRICS
    from genai_otel.metrics import Instrument
    from genai_otel.quality import names

ASKED = {
    dashboard: [each for each in of_panels() if (each.dashboard, each.source) == (dashboard, "prometheus")]
    for dashboard in dashboards()
}
ALL = [query for queries in ASKED.values() for query in queries]
PROFILES = (
    ("gen_ai_client_operation_duration_seconds", "gen_ai_client_inference_duration_seconds"),
    ("gen_ai_client_operation_time_to_first_chunk", "gen_ai_client_inference_time_to_first_chunk"),
    ("gen_ai_client_operation_time_per_output_chunk", "gen_ai_client_inference_time_per_output_chunk"),
    ("gen_ai_client_token_usage", "gen_ai_client_inference_operation_"),
)
"""What a metric's name starts with in the older and in the newer profile."""

RETRIEVALS = 'gen_ai_operation_name="retrieval"'
"""What has one name in both."""

NOT_SHOWN = {
    "gen_ai.client.inference.usage.input_tokens": "the histogram per call has the same sum",
    "gen_ai.client.inference.usage.output_tokens": "the histogram per call has the same sum",
    "genai_otel.budget.ratio": "of one process; what a service spent is summed first",
    "http.server.request.duration": "of web apps, not of models",
}

each_dashboard = pytest.mark.parametrize("asked", ASKED.values(), ids=list(ASKED))


def parsed(expr: str) -> promql.Expr:
    return promql.parse(filled(expr, {}, interval="1m", shown="1h"))


def wrong(expr: str) -> str | None:
    """What the parser says against a query."""
    try:
        parsed(expr)
    except ValueError as error:
        return str(error)
    return None


@each_dashboard
def test_queries_are_promql(asked: list[Query]) -> None:
    assert [f"{query}: {said}" for query in asked if (said := wrong(query.expr))] == []
    assert wrong(asked[0].expr + ")") is not None


def test_variables_ask_for_the_values_of_a_label() -> None:
    for query in of_variables():
        found = re.fullmatch(r"label_values\((.+), (\w+)\)", query.expr)
        assert found, query
        assert wrong(found[1]) is None


@each_dashboard
def test_both_profiles_are_read_with_or(asked: list[Query]) -> None:
    assert [str(query) for query in asked if one_profile(query.expr)] == []


@pytest.mark.parametrize(
    "expr",
    [
        "sum(rate(gen_ai_client_operation_duration_seconds_count[1m]))",
        "rate(gen_ai_client_token_usage_sum[1m]) + rate(gen_ai_client_inference_operation_input_tokens_sum[1m])",
    ],
)
def test_the_rule_of_both_profiles_is_strict(expr: str) -> None:
    assert len(one_profile(expr)) == 1


def one_profile(expr: str) -> list[str]:
    """The older names that are read alone, or with the newer by something else than `or`."""
    places = binary(parsed(expr))
    found: list[str] = []
    for older, newer in PROFILES:
        joined = [place for place in places if joins(place, older, newer)]
        alone = older in expr and not joined and RETRIEVALS not in expr
        if alone or any(f"{place.op}" != "or" for place in joined):
            found.append(older)
    return found


def binary(expr: promql.Expr) -> list[promql.BinaryExpr]:
    """The places in an expression where two are put together."""
    found: list[promql.BinaryExpr] = []

    def look(node: promql.Expr) -> bool:
        if isinstance(node, promql.BinaryExpr):
            found.append(node)
        return True

    promql.walk(expr, look)
    return found


def joins(place: promql.BinaryExpr, older: str, newer: str) -> bool:
    """Whether a side has only one profile, and the other side the other."""
    sides = [(older in side, newer in side) for side in (place.lhs.prettify(), place.rhs.prettify())]
    return sides in ([(True, False), (False, True)], [(False, True), (True, False)])


def test_the_two_profiles_are_those_of_the_library() -> None:
    older, newer = (
        {each.name.replace(".", "_") for each in profile} for profile in (metrics.STABLE, metrics.LATEST)
    )
    assert all(any(name.startswith(old.removesuffix("_seconds")) for name in older) for old, _ in PROFILES)
    assert all(any(name.startswith(new.removesuffix("_seconds")) for name in newer) for _, new in PROFILES)


@each_dashboard
def test_times_are_the_dashboards(asked: list[Query]) -> None:
    for query in asked:
        assert set(re.findall(r"\[([^]:]+):?\]", query.expr)) <= {"$__rate_interval", "$__range"}, query


@each_dashboard
def test_nothing_goes_by_instance(asked: list[Query]) -> None:
    for query in asked:
        assert not re.search(r"\binstance\b|service_instance_id|\bpod\b", query.expr + query.legend), query


@each_dashboard
def test_legends_name_labels_that_the_queries_keep(asked: list[Query]) -> None:
    for query in asked:
        named = set(re.findall(r"\{\{(\w+)\}\}", query.legend))
        kept = set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", query.expr))))
        assert named <= kept, query


def test_every_metric_of_the_library_is_on_a_dashboard() -> None:
    asked = " ".join(query.expr for query in ALL)
    rooms = [each for room in (metrics, names) for each in vars(room).values()]
    known = {each.name for each in rooms if isinstance(each, Instrument)} | {each.name for each in METRICS}
    known |= {each for name, each in vars(metrics).items() if name.isupper() and isinstance(each, str)}
    hidden = {name for name in known if not re.search(rf"\b{name.replace('.', '_')}(_|\b)", asked)}
    assert hidden == NOT_SHOWN.keys()


def test_logs_are_chosen_by_something_whatever_is_chosen() -> None:
    """Loki refuses a query whose conditions all hold for no label at all, as those of "All" do."""
    asked = [query for query in of_panels() if query.source == "loki"]
    assert len(asked) > 1
    assert [str(query) for query in asked if not re.match(r'\{[^}]*\w+=~"\.\+"[^}]*\} \|', query.expr)] == []
