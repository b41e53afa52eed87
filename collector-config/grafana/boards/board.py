"""A dashboard of rows of panels, with its variables and the links to the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    RowPanel,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from boards.panels import METRICS, TAG
from boards.queries import ENVIRONMENT, MODEL, OPERATION, VENDOR, where

Row = tuple[str, Sequence[Builder[Panel]]]
"""A heading, and the panels below it."""

CALLS = "gen_ai_client_(operation|inference)_duration_seconds_count"
SERVICES = (("environment", "Environment", ENVIRONMENT), ("service", "Service", "service_name"))


def choices(metrics: str, *asked: tuple[str, str, str]) -> Iterable[Builder[VariableModel]]:
    """Variables, each (name, title, label), with the values that the label has in metrics with names like this.

    Each offers what there is with the choices before it.
    """
    chosen = f'__name__=~"{metrics}"'
    for name, title, label in asked:
        # Series without the label are among all of them.
        yield (
            _choice(name, title, f"label_values({{{chosen}}}, {label})")
            .multi(True)
            .include_all(True)
            .all_value(".*")
            .current(VariableOption(text=["All"], value=["$__all"]))
        )
        chosen = where(chosen, f'{label}=~"${name}"')


def of_calls() -> Iterable[Builder[VariableModel]]:
    """What calls are chosen by."""
    what = (("vendor", "Vendor", VENDOR), ("model", "Model", MODEL), ("operation", "Operation", OPERATION))
    return choices(CALLS, *SERVICES, *what)


def traced() -> Builder[VariableModel]:
    """The service whose traces are shown: Jaeger looks at one."""
    return _choice("traced", "Traces of", f'label_values({{__name__=~"{CALLS}"}}, service_name)')


def _choice(name: str, title: str, query: str) -> build.QueryVariable:
    return (
        build.QueryVariable(name)
        .label(title)
        .datasource(METRICS)
        .definition(query)
        .query({"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def assembled(
    name: str, title: str, about: str, variables: Iterable[Builder[VariableModel]], rows: Iterable[Row]
) -> Dashboard:
    """The dashboard: every panel gets a number of its own, in reading order."""
    made = (
        build.Dashboard(f"GenAI / {title}")
        .uid(f"{TAG}-{name}")
        .description(about)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(
            build.DashboardLink("GenAI dashboards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
    )
    for variable in (*_sources(), *variables):
        made.with_variable(variable)
    for heading, panels in rows:
        made.with_row(build.Row(heading))
        for panel in panels:
            made.with_panel(panel)
    return _numbered(made.build())


def _sources() -> Iterable[Builder[VariableModel]]:
    for name, title, kind in (
        ("metrics", "Metrics", "prometheus"),
        ("traces", "Traces", "jaeger"),
        ("logs", "Logs", "loki"),
    ):
        yield build.DatasourceVariable(name).label(title).type(kind)


def _numbered(made: Dashboard) -> Dashboard:
    for number, panel in enumerate(made.panels or (), 1):
        assert isinstance(panel, Panel | RowPanel)
        panel.id_val = number
    return made
