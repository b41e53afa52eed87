"""Trace a client of your own by describing it: `python examples/own_client/own_client.py`.

A spec says where calls are made, whom they go to, and which facts stand in a request and in an answer.  It is data
and pure functions; the spans, the metrics and every way in which a call can end come from genai-otel.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from oracle import Oracle

import genai_otel
from genai_otel import ClientSpec, Endpoint
from genai_otel.spec import Facts, Peer
from genai_otel.testing import ModelServer


def peer(client: Any) -> Peer:
    url = urlsplit(str(client.base_url))
    return Peer("oracle", url.hostname, url.port)


def request(arguments: Mapping[str, Any]) -> Facts:
    return {"gen_ai.output.type": "text"} if arguments.get("question") else {}


def response(answer: Mapping[str, Any]) -> Facts:
    return {
        "gen_ai.response.id": answer["id"],
        "gen_ai.response.model": answer["model"],
        "gen_ai.response.finish_reasons": tuple(choice["finish_reason"] for choice in answer["choices"]),
        "gen_ai.usage.input_tokens": answer["usage"]["prompt_tokens"],
        "gen_ai.usage.output_tokens": answer["usage"]["completion_tokens"],
    }


SPEC = ClientSpec(
    name="oracle",
    requires="oracle",
    connection=lambda client: client.base_url,
    peer=peer,
    endpoints=(
        Endpoint("oracle:Oracle.ask", "chat", request=request, response=response, positional=("question",)),
    ),
)


def main() -> None:
    genai_otel.setup()
    genai_otel.register(SPEC)
    with ModelServer() as server:
        answer = Oracle(server.base_url).ask("Will it rain?", model="delphi-1")
        print(answer["choices"][0]["message"]["content"])


if __name__ == "__main__":
    main()
