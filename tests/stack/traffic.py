"""A program that does everything that the dashboards tell of, once a round: `python traffic.py SECONDS`.

It runs genai-otel as any program does, with the real OpenAI client against the local model server; everything else is
said by the usual variables.  What it makes is meant: errors, retries, streams that are cut or left, loops, budgets that
are exceeded.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from openai import APIError, AzureOpenAI, OpenAI
from opentelemetry import trace

import genai_otel
from genai_otel.testing import ModelServer
from genai_otel.web.checks import Checks

ROUND = 2.0  # seconds
BUDGET = {"total": "0.000001 USD/hour", "tenants": {"acme": "100 USD/day"}}
PRICES = {"house": {"tiny": {"input": 1.0, "output": 2.0}}}  # dollars a million
ASK: Any = [{"role": "user", "content": "What is the time?"}]
TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("clock", "weather")
]
log = logging.getLogger("traffic")
spans = trace.get_tracer("traffic")


class Traffic:
    """One process with its clients."""

    def __init__(self, model: ModelServer) -> None:
        self.model = model
        self.client = OpenAI(base_url=model.base_url, api_key="none", max_retries=2, timeout=10)
        self.azure = AzureOpenAI(
            azure_endpoint=model.url, api_version="2024-10-21", api_key="none", max_retries=0, timeout=10
        )
        self.checks = Checks({"database": lambda: True, "search": lambda: False}, fresh=0)

    def round(self) -> None:
        """Everything once."""
        with spans.start_as_current_span("a request"):
            self.calls()
            self.errors()
            self.streams()
            self.judged()
        with genai_otel.workflow("support"), genai_otel.task("answer", stage="drafting"):
            self.agent()
            self.knowledge()
            self.wrong_form()
        self.served()
        asyncio.run(self.checks.results())

    def says(self, text: str = "It is noon.", how: str = "") -> None:
        """What the model does next."""
        self.model.reply(text, directives=how)

    def chat(self, name: str = "gpt-4o-mini", client: OpenAI | None = None, **more: Any) -> Any:
        completions: Any = (client or self.client).chat.completions
        return completions.create(model=name, messages=ASK, **more)

    def calls(self) -> None:
        self.says(how="input-1200+cached-1000+output-40")
        self.chat()
        self.says(how="input-300+output-90")
        self.chat("gpt-4o")
        self.says()
        self.chat("gpt-4o", self.azure)
        self.says(how="length")
        self.chat()
        self.says("", how="output-0")
        self.chat()
        self.says()
        self.chat("a-model-without-a-price")
        self.client.embeddings.create(model="text-embedding-3-small", input="noon")
        with genai_otel.inference("chat", provider="anthropic", model="claude-sonnet-4-5") as call:
            call.response(input_tokens=900, output_tokens=60, cache_write_tokens=700, finish_reasons=["stop"])
        with genai_otel.context(tenant="acme"):
            self.says()
            self.chat("o3-mini")

    def errors(self) -> None:
        for how in ("error-401", "error-404"):
            self.model.reply(directives=how)
            with contextlib.suppress(APIError):
                self.chat()
        for how in ("error-429", "error-500"):  # the client tries again, in vain
            for _ in range(3):
                self.model.reply(directives=how)
            try:
                self.chat()
            except APIError as error:
                log.warning("the model gave %s", type(error).__name__)
        self.model.reply(directives="error-429")  # and with success
        self.says()
        self.chat()

    def streams(self) -> None:
        slowly = "slow-first-50ms+slow-chunk-10ms+chunks-8"
        for how in (slowly, "slow-first-1200ms"):
            self.says(how=how)
            for _ in self.chat(stream=True, stream_options={"include_usage": True}):
                pass
        self.says(how=slowly)
        with self.chat(stream=True) as left:
            next(iter(left))
        self.says(how=slowly + "+cut-after-3")
        with contextlib.suppress(Exception):  # which one depends on the client's version
            for _ in self.chat(stream=True):
                pass

    def agent(self) -> None:
        """A loop of two rounds, with a tool that works and one that does not."""
        with genai_otel.agent("concierge"):
            for name in ("clock", "weather"):
                self.model.reply(tool_calls={name: {"city": "Oslo"}})
                self.chat(tools=TOOLS)
                with contextlib.suppress(LookupError), genai_otel.tool(name):
                    if name == "weather":
                        raise LookupError("no such city")
            self.says()
            self.chat(tools=TOOLS)
        with contextlib.suppress(TimeoutError), genai_otel.agent("planner"):
            raise TimeoutError

    def knowledge(self) -> None:
        for found in (True, False):
            with genai_otel.cache("answers") as step:
                step.hit() if found else step.miss()
        with genai_otel.retrieval("handbook", provider="house", top_k=3):
            pass

    def wrong_form(self) -> None:
        with contextlib.suppress(ValueError), genai_otel.parsing("json"):
            json.loads("It is noon.")

    def judged(self) -> None:
        self.says()
        self.chat()
        answer = genai_otel.response_ref()
        for score, label in ((0.9, "pass"), (0.2, "fail")):
            genai_otel.record_evaluation(answer, "groundedness", score, label)
        genai_otel.record_evaluation(answer, "groundedness", error="JudgeTimeout")
        genai_otel.record_feedback(answer, 4)
        genai_otel.record_feedback(answer, True)
        genai_otel.record_feedback("forged", 5)  # is lost, and counts as that

    def served(self) -> None:
        """A request that this process answers with a model of its own."""
        with genai_otel.serve("chat", model="tiny", provider="house", queued=True) as served:
            time.sleep(0.01)
            served.started()
            for _ in range(4):
                time.sleep(0.005)
                served.token()
            served.response(finish_reasons=["stop"], input_tokens=12)


def watch(over: threading.Event) -> None:
    """What is open all the time: an agent at work, and a request that waits."""
    with (
        genai_otel.agent("night watch"),
        genai_otel.serve("chat", model="tiny", provider="house", queued=True),
    ):
        over.wait()


def rounds(seconds: float) -> Iterator[int]:
    """Numbers, one each ROUND, for so long."""
    end, number = time.monotonic() + seconds, 0
    while (began := time.monotonic()) < end:
        yield number
        number += 1
        time.sleep(max(0.0, ROUND - (time.monotonic() - began)))


def main(seconds: float) -> None:
    logging.basicConfig(level=logging.INFO)
    genai_otel.setup(budget=BUDGET, prices=PRICES, console="off")
    with ModelServer() as model:
        traffic, over = Traffic(model), threading.Event()
        genai_otel.probe_models({"gpt-4o": lambda: True, "o3-mini": lambda: False}, every=5)
        watcher = threading.Thread(target=watch, args=(over,))
        watcher.start()
        for number in rounds(seconds):
            traffic.round()
            if not number:
                print("began", flush=True)
        over.set()
        watcher.join()
    genai_otel.shutdown()
    print("ended", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]))
