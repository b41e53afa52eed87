"""A package that brings the spec of its client is enough: nobody has to name it."""

from __future__ import annotations

from pathlib import Path

from tests.harness.distribution import distribution
from tests.harness.process import run
from tests.harness.sink import HttpSink

CLIENT = """
class Client:
    def ask(self, model):
        return model
"""
SPEC = """
from genai_otel.spec import ClientSpec, Endpoint, Peer
SPEC = ClientSpec(
    name="made-up", requires="made-up >= 1", connection=lambda client: client, peer=lambda client: Peer("made-up"),
    endpoints=(Endpoint("made_up.client:Client.ask", "chat"),),
)
"""
PROGRAM = """
import sys
import genai_otel
genai_otel.setup()
assert "made_up.client" not in sys.modules
from made_up.client import Client
assert Client().ask(model="m") == "m"
"""


def test_a_spec_from_another_package_is_used(tmp_path: Path, sink: HttpSink) -> None:
    distribution(
        tmp_path,
        "made-up",
        modules={"made_up.client": CLIENT, "made_up.tracing": SPEC},
        entry_points={"genai_otel_client:made_up": "made_up.tracing:SPEC"},
    )
    run(PROGRAM, env={**sink.environment(), "PYTHONPATH": str(tmp_path)}).ok()
    assert [span.name for span in sink.spans()] == ["chat m"]


def test_a_broken_or_wrong_one_is_named_and_the_rest_works(tmp_path: Path, sink: HttpSink) -> None:
    distribution(
        tmp_path,
        "made-up",
        modules={
            "made_up.client": CLIENT,
            "made_up.tracing": SPEC,
            "broken": "raise OSError('no')",
            "wrong": "SPEC = 1",
        },
        entry_points={
            "genai_otel_client:made_up": "made_up.tracing:SPEC",
        },
    )
    distribution(tmp_path, "broken", entry_points={"genai_otel_client:broken": "broken:SPEC"})
    distribution(tmp_path, "wrong", entry_points={"genai_otel_client:wrong": "wrong:SPEC"})
    done = run(PROGRAM, env={**sink.environment(), "PYTHONPATH": str(tmp_path)})
    done.ok()
    assert "the client 'broken' is not traced: broken:SPEC fails with OSError: no" in done.err
    assert "the client 'wrong' is not traced: wrong:SPEC is no genai_otel.ClientSpec" in done.err
    assert [span.name for span in sink.spans()] == ["chat m"]
