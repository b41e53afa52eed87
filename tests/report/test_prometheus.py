"""Incidents out of a real Prometheus, which has the history of alerts that we wrote into it."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator

import pytest

from genai_otel.report.incidents import history
from genai_otel.report.problem import Problem
from tests.harness.patience import eventually

PROGRAMS = [shutil.which(name) for name in ("prometheus", "promtool")]

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(None in PROGRAMS, reason="no Prometheus here: Debian's package prometheus has it"),
]

STEP = 15  # seconds between two evaluations of the rules
EPOCH = 1_767_225_600 - 1_767_225_600 % 7_200  # blocks begin at even hours
FIRING = {  # minutes
    ("Slow", "page"): [(60, 70), (180, 200)],
    ("Errors", "page"): [(65, 75)],
    ("Budget", "ticket"): [(230, 260)],
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with blocks of samples as its rules would have written them."""
    folder = tmp_path_factory.mktemp("prometheus")
    lines = ["# TYPE ALERTS gauge"]
    for (name, severity), times in FIRING.items():
        labels = f'alertname="{name}",alertstate="firing",severity="{severity}"'
        lines += [
            f"ALERTS{{{labels}}} 1 {EPOCH + second}"
            for begin, end in times
            for second in range(begin * 60, end * 60, STEP)
        ]
    (folder / "alerts.txt").write_text("\n".join([*lines, "# EOF", ""]))
    (folder / "prometheus.yml").write_text("global: {}\n")
    blocks = ["tsdb", "create-blocks-from", "openmetrics", "alerts.txt", "data"]
    subprocess.run(["promtool", *blocks], cwd=folder, check=True, capture_output=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        listening = f"127.0.0.1:{free.getsockname()[1]}"
    options = [
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address={listening}",
    ]
    # Blocks have no mark where a series ends; rules write one, so that nothing is looked for further back.
    options += ["--storage.tsdb.retention.time=100y", f"--query.lookback-delta={STEP}s"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(["prometheus", *options], cwd=folder, stdout=log, stderr=log)
        try:
            eventually(lambda: _is_ready(f"http://{listening}"), timeout=30)
            yield f"http://{listening}"
        finally:
            process.terminate()
            process.wait(30)


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/-/ready", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_a_real_prometheus_tells_what_fired(address: str) -> None:
    found = history(address, EPOCH, EPOCH + 240 * 60)
    slow, errors, budget = (found.by_alert[key] for key in FIRING)
    assert (slow.count, slow.mttr) == (2, pytest.approx(15 * 60, abs=2 * found.step))
    assert errors.mttr == pytest.approx(10 * 60, abs=2 * found.step)
    assert (budget.count, budget.mttr, budget.episodes[0].has_ended) == (1, None, False)
    assert found.all.mttr == pytest.approx((15 + 20) / 2 * 60, abs=2 * found.step)
    assert found.all.mtbf == pytest.approx((240 - 15 - 20 - 10) / 3 * 60, abs=2 * found.step)


def test_alerts_are_chosen_by_matchers_and_a_wrong_one_is_refused(address: str) -> None:
    assert set(history(address, EPOCH, EPOCH + 240 * 60, 'severity="page"').by_alert) == {
        ("Slow", "page"),
        ("Errors", "page"),
    }
    with pytest.raises(Problem, match=re.compile(r"answered /api/v1/query_range with 400: .*parse error")):
        history(address, EPOCH, EPOCH + 60, "severity=page")
