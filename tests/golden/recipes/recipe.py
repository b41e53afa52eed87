"""The form of a recipe, and the calls that most of them make."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from genai_otel.testing import ModelServer
    from tests.golden.seen import Seen

MODEL: Final = "gpt-4o-mini"
CLAUDE: Final = "claude-sonnet-4-6"
GROK: Final = "grok-4"
MISTRAL: Final = "mistral-small-latest"
BEDROCK: Final = "anthropic.claude-sonnet-4-20250514-v1:0"
SAID: Final = "canary-4711"
"""Stands in every prompt, answer, instruction and tool argument, and in no other value."""

Calls = Iterator[tuple[str, Callable[[], Any]]]


@dataclass(frozen=True)
class Recipe:
    """``calls`` switches the packages on, so that their spans are seen, and yields named calls.

    ``overrides`` are versions that are installed whatever the packages ask for.
    """

    requirements: tuple[str, ...]
    calls: Callable[[ModelServer, Seen], Calls]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    overrides: tuple[str, ...] = ()


TOOL: Final[Any] = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": f"{SAID} of the tool",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "description": SAID}}},
    },
}


def messages() -> Any:
    """What the user says."""
    return [
        {"role": "system", "content": f"{SAID} of the system"},
        {"role": "user", "content": f"{SAID} of the user"},
    ]


def openai_calls(server: ModelServer, client: Any) -> Calls:
    """The calls of the OpenAI client: the model repeats what was said."""

    def chat() -> None:
        server.reply(f"{SAID} of the model")
        client.chat.completions.create(model=MODEL, messages=messages(), temperature=0.5, max_tokens=50)

    def stream() -> None:
        server.reply(f"{SAID} of the model")
        options = {"include_usage": True}
        for _ in client.chat.completions.create(
            model=MODEL, messages=messages(), stream=True, stream_options=options
        ):
            pass

    def tools() -> None:
        server.reply(tool_calls={"lookup": {"city": SAID}})
        client.chat.completions.create(model=MODEL, messages=messages(), tools=[TOOL])

    def responses() -> None:
        server.reply(f"{SAID} of the model")
        client.responses.create(
            model=MODEL, input=f"{SAID} of the user", instructions=f"{SAID} of the system"
        )

    def embeddings() -> None:
        client.embeddings.create(model=MODEL, input=f"{SAID} of the user")

    def error() -> None:
        server.reply(status=429, directives="leak")
        with contextlib.suppress(Exception):
            client.chat.completions.create(model=MODEL, messages=messages())

    for call in (chat, stream, tools, responses, embeddings, error):
        yield call.__name__, call


def anthropic_calls(server: ModelServer, client: Any) -> Calls:
    """The calls of the Anthropic client: the model repeats what was said."""
    asked: Any = {
        "model": CLAUDE,
        "max_tokens": 50,
        "system": f"{SAID} of the system",
        "messages": [{"role": "user", "content": f"{SAID} of the user"}],
    }

    def chat() -> None:
        server.reply(f"{SAID} of the model")
        client.messages.create(**asked)

    def stream() -> None:
        server.reply(f"{SAID} of the model")
        for _ in client.messages.create(**asked, stream=True):
            pass

    def stream_helper() -> None:
        server.reply(f"{SAID} of the model")
        with client.messages.stream(**asked) as events:
            events.get_final_message()

    def tools() -> None:
        server.reply(tool_calls={"lookup": {"city": SAID}})
        function = TOOL["function"]
        tool = {
            "name": "lookup",
            "description": function["description"],
            "input_schema": function["parameters"],
        }
        client.messages.create(**asked, tools=[tool])

    def error() -> None:
        server.reply(status=429, directives="leak")
        with contextlib.suppress(Exception):
            client.messages.create(**asked)

    for call in (chat, stream, stream_helper, tools, error):
        yield call.__name__, call


def bedrock_calls(server: ModelServer, client: Any) -> Calls:
    """The calls of boto3's client of Bedrock: the model repeats what was said."""
    asked: Any = {
        "modelId": BEDROCK,
        "system": [{"text": f"{SAID} of the system"}],
        "messages": [{"role": "user", "content": [{"text": f"{SAID} of the user"}]}],
        "inferenceConfig": {"temperature": 0.5, "maxTokens": 50},
    }

    def chat() -> None:
        server.reply(f"{SAID} of the model")
        client.converse(**asked)

    def stream() -> None:
        server.reply(f"{SAID} of the model")
        for _ in client.converse_stream(**asked)["stream"]:
            pass

    def tools() -> None:
        server.reply(tool_calls={"lookup": {"city": SAID}})
        function = TOOL["function"]
        tool = {
            "name": "lookup",
            "description": function["description"],
            "inputSchema": {"json": function["parameters"]},
        }
        client.converse(**asked, toolConfig={"tools": [{"toolSpec": tool}]})

    def invoke() -> None:
        server.reply(f"{SAID} of the model")
        said = [{"role": "user", "content": [{"type": "text", "text": f"{SAID} of the user"}]}]
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 50, "messages": said}
        client.invoke_model(modelId=BEDROCK, body=json.dumps(body))["body"].read()

    def error() -> None:
        server.reply(status=429, directives="leak")
        with contextlib.suppress(Exception):
            client.converse(**asked)

    for call in (chat, stream, tools, invoke, error):
        yield call.__name__, call


def bedrock_client(server: ModelServer) -> Any:
    """The client of the same server, in a ``with`` that closes it."""
    import boto3
    from botocore.config import Config

    made: Any = boto3  # its types know nothing
    keys = {
        "aws_access_key_id": "AKIAEXAMPLE",
        "aws_secret_access_key": "sk-test",
        "region_name": "us-east-1",
    }
    config = Config(retries={"total_max_attempts": 1})
    return contextlib.closing(made.client("bedrock-runtime", endpoint_url=server.url, config=config, **keys))


def mistral_calls(server: ModelServer, client: Any) -> Calls:
    """The calls of the Mistral client: the model repeats what was said."""

    def chat() -> None:
        server.reply(f"{SAID} of the model")
        client.chat.complete(model=MISTRAL, messages=messages(), temperature=0.5, max_tokens=50)

    def stream() -> None:
        server.reply(f"{SAID} of the model")
        for _ in client.chat.stream(model=MISTRAL, messages=messages()):
            pass

    def tools() -> None:
        server.reply(tool_calls={"lookup": {"city": SAID}})
        client.chat.complete(model=MISTRAL, messages=messages(), tools=[TOOL])

    def embeddings() -> None:
        client.embeddings.create(model=MISTRAL, inputs=[f"{SAID} of the user"])

    def error() -> None:
        server.reply(status=429, directives="leak")
        with contextlib.suppress(Exception):
            client.chat.complete(model=MISTRAL, messages=messages())

    for call in (chat, stream, tools, embeddings, error):
        yield call.__name__, call


def mistral_client(server: ModelServer) -> Any:
    """The client of the same server."""
    from mistralai.client import Mistral

    return Mistral(server_url=server.url, api_key="sk-test")


def xai_calls(server: ModelServer, client: Any) -> Calls:
    """The calls of the xAI client: the model repeats what was said."""
    from xai_sdk.chat import system, tool, user

    def asked(**extra: Any) -> Any:
        said = [system(f"{SAID} of the system"), user(f"{SAID} of the user")]
        return client.chat.create(model=GROK, messages=said, **extra)

    def chat() -> None:
        server.reply(f"{SAID} of the model")
        asked(temperature=0.5, max_tokens=50).sample()

    def stream() -> None:
        server.reply(f"{SAID} of the model")
        for _ in asked().stream():
            pass

    def tools() -> None:
        server.reply(tool_calls={"lookup": {"city": SAID}})
        function = TOOL["function"]
        offered = tool(function["name"], function["description"], function["parameters"])
        asked(tools=[offered]).sample()

    def image() -> None:
        client.image.sample(f"{SAID} of the user", GROK, image_format="base64")

    def error() -> None:
        server.reply(status=429, directives="leak")
        with contextlib.suppress(Exception):
            asked().sample()

    for call in (chat, stream, tools, image, error):
        yield call.__name__, call


def xai_client(server: ModelServer) -> Any:
    """The client of the same server."""
    import xai_sdk

    return xai_sdk.Client(api_key="sk-test", api_host=f"127.0.0.1:{server.port}", use_insecure_channel=True)


def anthropic_client(server: ModelServer, **options: Any) -> Any:
    """The client of the same server."""
    import anthropic

    return anthropic.Anthropic(base_url=server.url, api_key="sk-test", max_retries=0, **options)


def openai_client(server: ModelServer, kind: Any = None) -> Any:
    """The client, or one of a class that takes the same arguments."""
    if kind is None:
        import openai

        kind = openai.OpenAI
    return kind(base_url=server.base_url, api_key="sk-test", max_retries=0)
