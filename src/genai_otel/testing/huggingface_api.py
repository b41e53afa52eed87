"""Hugging Face's text generation server, its embeddings, pictures and speech recognition; its chat is OpenAI's.

The model stands in the address: `/models/NAME`, `/models/NAME/pipeline/feature-extraction`.  A client that wants a
picture says so in a header; one that sends no JSON sends sound.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

from genai_otel.testing.answer import Answer, Ask
from genai_otel.testing.directives import Plan
from genai_otel.testing.job import Job
from genai_otel.testing.openai_media import PIXEL
from genai_otel.testing.wire import Event, Reply, Request, items, mapping, string

_ROUTE = re.compile(r".*/models/(?P<model>[^/]+)(?P<pipeline>/pipeline/feature-extraction)?")
_FINISH = {"stop": "eos_token", "length": "length"}
_KINDS = {422: "validation", 424: "generation", 429: "overloaded"}


def serves(request: Request) -> bool:
    return request.method == "POST" and _ROUTE.fullmatch(request.route) is not None


def _found(request: Request) -> Mapping[str, str]:
    found = _ROUTE.fullmatch(request.route)
    return found.groupdict("") if found else {}


def model(request: Request) -> str:
    return _found(request)["model"]


def answer(job: Job) -> Reply:
    if _found(job.request)["pipeline"]:
        return _embeddings(job)
    if job.request.headers.get("accept", "").startswith("image/"):
        return Reply(base64.b64decode(PIXEL), content_type="image/png")
    if job.request.json is None:
        return Reply({"text": job.compose(Ask()).text})
    said = job.compose(Ask(prompt=string(job.fields.get("inputs"))))
    if job.streams:
        broken = Event({"error": "Request failed during generation", "error_type": "generation"})
        return Reply(events=_tokens(job, said), broken=broken, strange=Event("ping", "future"))
    body: dict[str, object] = {"generated_text": said.text}
    parameters = mapping(job.fields.get("parameters"))
    if parameters.get("details"):
        asked = parameters.get("decoder_input_details") and _counted(job.plan)
        prompt = [_token(number, "a", None) for number in range(job.usage.input)] if asked else []
        tokens = [_token(number, piece) for number, piece in enumerate(said.pieces)]
        body["details"] = {**_details(job, said), "prefill": prompt, "tokens": tokens}
    return Reply([body])


def _counted(plan: Plan) -> bool:
    """Whether the answer says how many tokens there were: this API has no usage object that could be distorted."""
    return "usage" not in plan.no + plan.null and not plan.huge_usage


def _details(job: Job, said: Answer) -> dict[str, object]:
    details: dict[str, object] = {"finish_reason": _FINISH.get(said.finish, "stop_sequence"), "seed": None}
    if _counted(job.plan) or job.plan.huge_usage:
        details["generated_tokens"] = 2**70 if job.plan.huge_usage else job.usage.output
    return details


def _token(number: int, text: str, logprob: float | None = -0.25) -> dict[str, object]:
    return {"id": number, "text": text, "logprob": logprob, "special": False}


def _tokens(job: Job, said: Answer) -> Iterator[Event]:
    """One event per token; the last one has the whole text, and the counts."""
    last = len(said.pieces)
    for number, piece in enumerate(said.pieces, 1):
        body: dict[str, object] = {"index": number, "token": _token(number, piece)}
        body |= {"generated_text": None, "details": None}
        if number == last:
            length = {"input_length": job.usage.input} if _counted(job.plan) else {}
            body |= {"generated_text": said.text, "details": {**_details(job, said), **length}}
        yield Event(body)


def _embeddings(job: Job) -> Reply:
    given = job.fields.get("inputs")
    count = max(1, len(items(given)))
    wanted = mapping(job.fields.get("parameters")).get("dimensions")
    size = wanted if isinstance(wanted, int) else 8
    return Reply([[(row + 1) / (column + 2) for column in range(size)] for row in range(count)])


def error(request: Request, status: int, plan: Plan, message: str | None = None) -> Reply:
    """The error body of the text generation server."""
    text = message or "The request failed."
    if plan.leak:
        text += f" Key: {request.headers.get('authorization')}. Text: {request.fields.get('inputs')}"
    return Reply({"error": text, "error_type": _KINDS.get(status, "unknown")}, status)
