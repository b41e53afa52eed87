"""A rating from a page in a real browser arrives at the span of the answer that it rates."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import pytest

from genai_otel.testing import ModelServer
from tests.harness.browser import PROGRAM, Browser
from tests.harness.process import Process
from tests.harness.sink import HttpSink

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: make test-browser installs Debian's"),
]

SERVES = """
import sys, genai_otel, uvicorn
genai_otel.setup(service_name="demo", feedback_key="of this test")
from genai_otel.cli.demo_app import application
uvicorn.run(application(sys.argv[1]), port=0)
"""


@pytest.fixture
def page(sink: HttpSink, model_server: ModelServer) -> Iterator[str]:
    """The demo's page, served by a process that ends with the test."""
    command = [sys.executable, "-c", SERVES, model_server.base_url]
    with Process(command, env={**sink.environment(), "OTEL_METRIC_EXPORT_INTERVAL": "500"}) as server:
        port = server.wait_for("127.0.0.1:").rpartition("127.0.0.1:")[2].split()[0]
        yield f"http://127.0.0.1:{port}/"


def shows(browser: Browser, part: str) -> str:
    """The text that a part of the page shows, as soon as there is some."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if text := browser.evaluate(f"document.getElementById('{part}').innerText"):
            return text
        time.sleep(0.05)
    raise TimeoutError(f"{part} stays empty")


@pytest.mark.seed_rows("002-10")
def test_a_rating_arrives_at_the_span_of_its_answer(
    page: str, sink: HttpSink, model_server: ModelServer
) -> None:
    model_server.reply("Yes, until five.")
    with Browser() as browser:
        browser.open(page)
        browser.press("Enter")
        assert shows(browser, "answer") == "Yes, until five."
        for _ in range(5):  # past the button that asks, to the fourth star
            browser.press("Tab")
        browser.press("Enter")
        assert shows(browser, "thanks") == "Thank you."
        browser.press("Enter")  # impatient users press twice
        forged = (
            "fetch('feedback', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: %s})"
        )
        body = "JSON.stringify({ref: ref + 'x', value: 5})"
        assert browser.evaluate(f"{forged % body}.then(said => said.status)") == 403
        assert [each for each in browser.complaints if "403" not in each] == []
        assert {each.partition("?")[0] for each in browser.fetched} == {
            page,
            f"{page}answer",
            f"{page}feedback",
        }

    sink.wait_for(lambda got: got.spans("POST /feedback") and got.logs() and got.spans("GET /answer"))
    (call,) = sink.spans("chat gpt-4o-mini")
    (event,) = [each for each in sink.logs() if each.event == "gen_ai.evaluation.result"]
    assert (event.trace_id, event.span_id) == (call.trace_id, call.span_id)
    assert event.attributes["gen_ai.evaluation.score.value"] == 4
    assert event.attributes["gen_ai.response.id"] == call.attributes["gen_ai.response.id"]
    assert 1 in [each.links for each in sink.spans("POST /feedback")]
    sink.wait_for(lambda got: got.latest("genai_otel.evaluation.score"))
    (point,) = sink.latest("genai_otel.evaluation.score")
    assert (point.count, point.sum) == (1, 4)
