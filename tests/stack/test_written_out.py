"""The stack as somebody has it who only installed the package."""

from __future__ import annotations

from pathlib import Path

from genai_otel.cli import main
from tests.harness.stack import running


def test_what_the_package_writes_out_starts(tmp_path: Path) -> None:
    assert main(["stack", str(tmp_path / "mine")]) == 0

    with running(
        tmp_path / "data", "otelcol", "prometheus", "alertmanager", config=tmp_path / "mine"
    ) as stack:
        known = stack.prometheus.get("/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        rules = stack.prometheus.get("/api/v1/rules")["data"]["groups"]

        assert [one["url"] for one in known] == [f"{stack.alertmanager.url}/api/v2/alerts"]
        assert rules
        assert "serves" in stack.launcher("status", "otelcol", "prometheus", "alertmanager")
