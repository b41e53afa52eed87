"""The committed dashboards are what their code makes, of the form that Grafana reads, and in order."""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.dashboards.reading import FILES, dashboards, panels

pytest.importorskip(
    "grafana_foundation_sdk", reason="it needs Python 3.11, and environments of clients lack it"
)

if sys.version_info >= (3, 11):
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.cog.plugins import register_default_plugins
    from grafana_foundation_sdk.models.dashboard import Dashboard

    from boards.catalog import written

ALL = dashboards()
BUILT_IN = {"__all", "__field", "__range", "__rate_interval", "__url_time_range"}
SOURCES = {"metrics", "traces", "logs"}

each = pytest.mark.parametrize("dashboard", ALL.values(), ids=list(ALL))


def test_the_files_are_what_the_code_makes() -> None:
    committed = {file.name: file.read_text(encoding="utf-8") for file in FILES}
    stale = sorted(name for name, text in written().items() if committed.get(name) != text)
    assert (stale, committed.keys() - written().keys()) == ([], set()), "stale: run `make dashboards`"


@each
def test_reading_and_writing_again_loses_nothing(dashboard: dict[str, Any]) -> None:
    register_default_plugins()
    assert json.loads(json.dumps(Dashboard.from_json(dashboard), cls=JSONEncoder)) == dashboard


def misformed(dashboard: dict[str, Any]) -> list[str]:
    schema = json.loads(Path(__file__).with_name("schema.json").read_text(encoding="utf-8"))
    errors: Any = Draft202012Validator(schema)
    return [f"{error.json_path}: {error.message}" for error in errors.iter_errors(dashboard)]


@each
def test_a_dashboard_has_the_form_that_grafana_reads(dashboard: dict[str, Any]) -> None:
    assert misformed(dashboard) == []


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ((), {"unheard": "of"}),
        (("targets", 0), {"datasource": None}),
        (("datasource",), {"uid": "prometheus"}),
        (("gridPos",), {"w": 25}),
    ],
    ids=["an unknown key", "no source", "a source by its id", "too wide"],
)
def test_the_form_is_strict(place: tuple[str | int, ...], change: dict[str, Any]) -> None:
    dashboard = json.loads(json.dumps(ALL["overview"]))
    spoilt: Any = panels(dashboard)[0]
    for step in place:
        spoilt = spoilt[step]
    spoilt.update(change)
    assert len(misformed(dashboard)) == 1


def test_every_dashboard_has_an_id_of_its_own() -> None:
    uids = Counter(dashboard["uid"] for dashboard in ALL.values())
    titles = Counter(dashboard["title"] for dashboard in ALL.values())
    assert set(uids.values()) == set(titles.values()) == {1}
    assert all(len(uid) <= 40 for uid in uids)


@each
def test_every_panel_and_query_has_an_id_of_its_own(dashboard: dict[str, Any]) -> None:
    assert [
        title for title, number in Counter(p["title"] for p in panels(dashboard)).items() if number > 1
    ] == []
    assert set(Counter(panel["id"] for panel in dashboard["panels"]).values()) == {1}
    for panel in panels(dashboard):
        assert set(Counter(target["refId"] for target in panel["targets"]).values()) == {1}, panel["title"]


@each
def test_panels_have_units_and_fill_their_rows_without_covering_each_other(dashboard: dict[str, Any]) -> None:
    covered: Counter[tuple[int, int]] = Counter()
    for panel in dashboard["panels"]:
        at = panel["gridPos"]
        covered.update(
            itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))
        )
    height = 1 + max(y for _, y in covered)
    assert covered == Counter(itertools.product(range(24), range(height)))
    without = [panel["title"] for panel in panels(dashboard) if not _units(panel)]
    assert without == []


def _units(panel: dict[str, Any]) -> bool:
    config = panel["fieldConfig"]
    if "unit" in config["defaults"]:
        return True
    units = {
        override["matcher"]["options"]
        for override in config.get("overrides", ())
        if any(each["id"] == "unit" for each in override["properties"])
    }
    renamed: dict[str, str] = panel["transformations"][-1]["options"]["renameByName"]
    return units == {shown for name, shown in renamed.items() if name.startswith("Value")}


@each
def test_what_a_dashboard_asks_by_is_among_its_variables(dashboard: dict[str, Any]) -> None:
    known = {variable["name"] for variable in dashboard["templating"]["list"]}
    text = json.dumps([dashboard["panels"], dashboard["templating"]])
    used = set(re.findall(r"\$\{?(\w+)", text)) - BUILT_IN
    assert (used - known, known - used - SOURCES) == (set(), set())


def test_links_lead_to_dashboards_that_there_are() -> None:
    text = json.dumps(ALL)
    led_to = re.findall(r"/d/([\w-]+)\?var-(\w+)=", text)
    known = {
        (dashboard["uid"], variable["name"])
        for dashboard in ALL.values()
        for variable in dashboard["templating"]["list"]
    }
    assert set(led_to) <= known
    assert len(led_to) > 3
