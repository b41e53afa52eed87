"""What the committed dashboards ask: the queries of their panels and variables, as text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "collector-config" / "grafana"
FILES = sorted((FOLDER / "dashboards").glob("*.json"))

Source = Literal["prometheus", "jaeger", "loki"]


@dataclass(frozen=True)
class Query:
    """One query of a panel, or of a variable: its text, or for Jaeger the fields of a search."""

    dashboard: str
    panel: str
    source: Source
    asked: str | dict[str, Any]
    instant: bool = False
    exemplars: bool = False
    legend: str = ""

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.panel}: {self.asked}"

    @property
    def expr(self) -> str:
        """The text of one that has it."""
        assert isinstance(self.asked, str), self
        return self.asked


def dashboards() -> dict[str, dict[str, Any]]:
    """File name without its ending → dashboard."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}


def panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """Its panels, without the rows' headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def of_panels() -> list[Query]:
    """The queries of all panels."""
    return [
        _query(name, panel["title"], target)
        for name, dashboard in dashboards().items()
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def of_variables() -> list[Query]:
    """The queries of all variables."""
    return [
        Query(name, f"${variable['name']}", "prometheus", variable["query"]["query"])
        for name, dashboard in dashboards().items()
        for variable in dashboard["templating"]["list"]
        if variable["type"] == "query"
    ]


def _query(dashboard: str, panel: str, target: dict[str, Any]) -> Query:
    source: Source = target["datasource"]["type"]
    if source == "jaeger":
        return Query(dashboard, panel, source, target)
    return Query(
        dashboard,
        panel,
        source,
        target["expr"],
        target.get("instant", False),
        target.get("exemplar", False),
        target.get("legendFormat", ""),
    )


def filled(expr: str, variables: dict[str, str], *, interval: str, shown: str) -> str:
    """A query as Grafana sends it: what stands for times and choices is replaced."""
    expr = expr.replace("$__rate_interval", interval).replace("$__range", shown)
    for name, value in variables.items():
        expr = expr.replace(f"${name}", value)
    return expr
