"""What genai-otel needs to know of the Oracle: where calls are made, whom they go to, which facts they show.

A spec is data and pure functions; the spans, the metrics and every way in which a call can end come from genai-otel.
It imports nothing of the client.  A package can offer it to every program that has it installed, in pyproject.toml:

    [project.entry-points.genai_otel_client]
    oracle = "oracle_tracing:SPEC"
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from genai_otel.spec import ClientSpec, Content, Endpoint, Facts, Peer, Streaming


def peer(client: Any) -> Peer:
    url = urlsplit(str(client.base_url))
    return Peer("oracle", url.hostname, url.port)


def response(answer: Mapping[str, Any]) -> Facts:
    return {
        "gen_ai.response.id": answer["id"],
        "gen_ai.response.model": answer["model"],
        "gen_ai.response.finish_reasons": tuple(choice["finish_reason"] for choice in answer["choices"]),
        "gen_ai.usage.input_tokens": answer["usage"]["prompt_tokens"],
        "gen_ai.usage.output_tokens": answer["usage"]["completion_tokens"],
    }


def chunk(facts: Facts, piece: Mapping[str, Any]) -> None:
    """Called for every piece, so it does nothing where there is nothing to learn."""
    for choice in piece["choices"]:
        if choice["finish_reason"] is not None:
            facts["gen_ai.response.finish_reasons"] = (choice["finish_reason"],)
            facts["gen_ai.response.id"] = piece["id"]


def question(arguments: Mapping[str, Any]) -> Facts:
    """Read only where the user has switched content on."""
    said = [{"type": "text", "content": arguments["question"]}]
    return {"gen_ai.input.messages": [{"role": "user", "parts": said}]}


_both: Any = {"operation": "chat", "positional": ("question",), "content": Content(request=question)}
_streams: Any = {"stream_argument": None, "streaming": Streaming()}  # always, and as a plain generator

SPEC = ClientSpec(
    name="oracle",
    requires="oracle",
    connection=lambda client: client.base_url,
    peer=peer,
    endpoints=(
        Endpoint("oracle:Oracle.ask", response=response, **_both),
        Endpoint("oracle:Oracle.murmur", chunk=chunk, **_both, **_streams),
    ),
)
