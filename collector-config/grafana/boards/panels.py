"""The panels that the dashboards are made of, and their queries."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import common as shared
from grafana_foundation_sdk.builders import (
    dashboard,
    heatmap,
    logs,
    loki,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.common import StackingConfig, VizLegendOptions, VizTooltipOptions
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Panel,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from boards.queries import quantile

METRICS: Final = common.DataSourceRef("prometheus", "${metrics}")
TRACES: Final = common.DataSourceRef("jaeger", "${traces}")
LOGS: Final = common.DataSourceRef("loki", "${logs}")

TAG: Final = "genai-otel"
FULL, HALF, THIRD, QUARTER, SIXTH = 24, 12, 8, 6, 4  # widths; a row has 24
CALLS, COUNT, SECONDS, SHARE, USD = (
    "reqps",
    "short",
    "s",
    "percentunit",
    "currencyUSD",
)  # Grafana's words for units
BYTES, BYTES_PER_SECOND, CELSIUS, HERTZ, JOULES, WATTS = "bytes", "Bps", "celsius", "hertz", "joule", "watt"

Built = Builder[Panel]
Panels = list[Built]


def legend(*labels: str) -> str:
    """A series is called by these labels."""
    return " ".join(f"{{{{{label}}}}}" for label in labels)


@dataclass(frozen=True)
class Ask:
    """PromQL and how its series are called; with ``exemplars``, each with a way to a trace."""

    expr: str
    legend: str = ""
    exemplars: bool = False


def percentiles(buckets: str, *shares: float) -> list[Ask]:
    """The quantiles of one histogram, each dot of which leads to its trace."""
    return [Ask(quantile(share, buckets), f"p{share * 100:g}", exemplars=True) for share in shares]


@dataclass(frozen=True)
class JaegerSearch(Builder[Dataquery], Dataquery):
    """A search for traces: the SDK has no builder for Jaeger."""

    service: str
    tags: str = ""
    longer: str = ""

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        chosen = {"tags": self.tags, "minDuration": self.longer}
        return {
            "datasource": TRACES,
            "refId": "A",
            "queryType": "search",
            "service": self.service,
            **{name: value for name, value in chosen.items() if value},
            "limit": 20,
        }


def _asked(asks: Sequence[Ask]) -> list[Builder[Dataquery]]:
    return [
        prometheus.Dataquery()
        .datasource(METRICS)
        .ref_id(ref)
        .expr(ask.expr)
        .legend_format(ask.legend or "__auto")
        .exemplar(ask.exemplars)
        .range()
        for ref, ask in zip(string.ascii_uppercase, asks, strict=False)
    ]


def lines(
    title: str,
    unit: str,
    *asks: Ask,
    width: int = THIRD,
    about: str = "",
    stacked: bool = False,
    leads_to: str = "",
) -> Built:
    """Series over time; a click on one leads to another dashboard, for its service."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .datasource(METRICS)
        .unit(unit)
        .min(0)
        .span(width)
        .height(8)
        .fill_opacity(35 if stacked else 8)
        .line_width(1)
        .show_points(common.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
        .targets(_asked(asks))
    )
    if leads_to:
        url = f"/d/{TAG}-{leads_to}?var-service=${{__field.labels.service_name}}&${{__url_time_range}}"
        panel.data_links([dashboard.DashboardLink(f"{leads_to.capitalize()} of this service").url(url)])
    return panel.stacking(StackingConfig().mode(common.StackingMode.NORMAL)) if stacked else panel


def number(title: str, unit: str, *asks: Ask, about: str = "", width: int = SIXTH) -> Built:
    """Numbers of now, each with its line behind it."""
    return (
        stat.Panel()
        .title(title)
        .description(about)
        .datasource(METRICS)
        .unit(unit)
        .span(width)
        .height(4)
        .graph_mode(common.BigValueGraphMode.AREA)
        .reduce_options(shared.ReduceDataOptions().calcs(["lastNotNull"]))
        .targets(_asked(asks))
    )


def heat(title: str, unit: str, buckets: str, *, about: str = "", width: int = THIRD) -> Built:
    """How a histogram's values are spread, over time."""
    query = _asked([Ask(f"sum by (le) ({buckets})", "{{le}}", exemplars=True)])[0]
    assert isinstance(query, prometheus.Dataquery)
    return (
        heatmap.Panel()
        .title(title)
        .description(about)
        .datasource(METRICS)
        .unit(unit)
        .span(width)
        .height(8)
        .calculate(False)  # the buckets are the library's
        .targets([query.format(PromQueryFormat.HEATMAP)])
    )


@dataclass(frozen=True)
class Column:
    """A column of numbers in a table."""

    title: str
    unit: str
    expr: str


def rows(title: str, names: Mapping[str, str], *columns: Column, about: str = "", width: int = FULL) -> Built:
    """A table: one row per value of the labels in ``names`` (label → heading), the first column sorts."""
    targets: list[Builder[Dataquery]] = [
        prometheus.Dataquery()
        .datasource(METRICS)
        .ref_id(ref)
        .expr(column.expr)
        .format(PromQueryFormat.TABLE)
        .instant()
        for ref, column in zip(string.ascii_uppercase, columns, strict=False)
    ]
    # A single query's column is called Value, those of several Value #A, Value #B …
    values = ["Value"] if len(columns) == 1 else [f"Value #{ref}" for ref in string.ascii_uppercase]
    headings = dict(zip(values, (column.title for column in columns), strict=False))
    panel = (
        table.Panel()
        .title(title)
        .description(about)
        .datasource(METRICS)
        .span(width)
        .height(8)
        .sort_by([shared.TableSortByFieldState().display_name(columns[0].title).desc(True)])
        .targets(targets)
        .with_transformation(DataTransformerConfig("merge", options={}))
        .with_transformation(
            DataTransformerConfig(
                "organize", options={"excludeByName": {"Time": True}, "renameByName": {**names, **headings}}
            )
        )
    )
    for column in columns:
        panel.override_by_name(column.title, [DynamicConfigValue("unit", column.unit)])
    return panel


def traces(title: str, tags: str, *, longer: str = "", about: str = "", width: int = HALF) -> Built:
    """The newest traces with spans with these tags and ``longer`` than that, of the service `traced`."""
    return (
        table.Panel()
        .title(title)
        .description(about)
        .datasource(TRACES)
        .unit("short")
        .span(width)
        .height(8)
        .targets([JaegerSearch("$traced", tags, longer)])
    )


def log_lines(title: str, expr: str, *, about: str = "", width: int = HALF) -> Built:
    """Lines of logs; those of a trace lead to it."""
    return (
        logs.Panel()
        .title(title)
        .description(about)
        .datasource(LOGS)
        .unit("short")
        .span(width)
        .height(8)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(common.LogsSortOrder.DESCENDING)
        .targets(
            [loki.Dataquery().datasource(LOGS).ref_id("A").expr(expr).query_type("range").max_lines(200)]
        )
    )


def _legend() -> VizLegendOptions:
    return (
        VizLegendOptions()
        .show_legend(True)
        .display_mode(common.LegendDisplayMode.TABLE)
        .placement(common.LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
    )
