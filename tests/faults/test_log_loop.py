"""Telemetry that has trouble says so in a few lines and never makes records out of its own."""

from __future__ import annotations

import pytest

from tests.harness.process import run
from tests.harness.sink import HttpSink

pytestmark = pytest.mark.process

SCRIPT = """
import logging, time
logging.basicConfig(level=logging.DEBUG)
import genai_otel
handle = genai_otel.setup()
from genai_otel import fence
from tests.harness.spans import model_span

emitted = []
provider = handle.logger_provider
on_emit = provider._multi_log_record_processor.on_emit
provider._multi_log_record_processor.on_emit = lambda record: (emitted.append(record), on_emit(record))

log = logging.getLogger("app")
log.warning("the only one")
model_span()
end = time.monotonic() + 3
while time.monotonic() < end:
    genai_otel.flush(0.2)
    time.sleep(0.05)
bodies = [record.log_record.body for record in emitted]
assert bodies == ["the only one"], bodies
"""


@pytest.mark.parametrize("mode", ["refuse", "error"])
def test_one_record_and_a_dead_back_end_stay_one_record(mode: str) -> None:
    settings = {
        "OTEL_BLRP_SCHEDULE_DELAY": "50",
        "OTEL_BSP_SCHEDULE_DELAY": "50",
        "OTEL_METRIC_EXPORT_INTERVAL": "100",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "0.3",
        "GENAI_OTEL_EXIT_TIMEOUT": "0.5",
    }
    with HttpSink(mode) as sink:  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - a mode
        done = run(SCRIPT, env={**sink.environment(), **settings}).ok()
    assert done.err.count("genai-otel:") <= 1


def test_an_error_of_ours_is_said_once_and_is_no_record_either() -> None:
    script = """
    import logging
    import genai_otel
    handle = genai_otel.setup()
    from genai_otel import fence
    for _ in range(50):
        with fence.contain("some.part"):
            raise RuntimeError("with the user's text")
        fence.warn("a word to the user")
    assert fence.errors() == {"some.part": 50}
    """
    with HttpSink() as sink:
        done = run(script, env={**sink.environment(), "GENAI_OTEL_STRICT": ""}).ok()
        assert sink.logs() == []
        errors = sink.latest("genai_otel.internal.errors")
        assert [(point.attributes["genai_otel.component"], point.value) for point in errors] == [
            ("some.part", 50)
        ]
    assert done.err.count("internal error in some.part: RuntimeError at script.py:") == 1
    assert done.err.count("a word to the user") == 1
    assert "user's text" not in done.err
