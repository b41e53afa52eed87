"""Facts of Anthropic's requests and answers that other vendors have otherwise."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest

from genai_otel.testing import ModelServer
from genai_otel.testing.wire import Event
from tests.contract.payloads.anthropic import MESSAGES, PAYLOAD
from tests.contract.recorded import Recorded, facts, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: dict[str, Any] = {"model": "claude-test", "max_tokens": 99, "messages": MESSAGES}
TOOL: Any = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
USAGE = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens")


def usage(span: Any) -> tuple[Any, ...]:
    return tuple(span.attributes.get(f"gen_ai.usage.{name}") for name in USAGE)


def start(**counts: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-real",
        "content": [],
    }
    return {"type": "message_start", "message": {**message, "stop_reason": None, "usage": counts}}


def delta(reason: str | None = "end_turn", **counts: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": counts}


def streamed(server: ModelServer, client: Any, *events: dict[str, Any]) -> None:
    server.reply(events=[Event(event, event["type"]) for event in (*events, {"type": "message_stop"})])
    list(client.messages.create(**ASKED, stream=True))


# --- requests -----------------------------------------------------------------------------------------------------


def test_how_to_sample_is_read_where_it_stands(balanced: Recorded, client: Any) -> None:
    sampling = {"temperature": 1, "top_p": 0.5, "top_k": 7}
    client.messages.create(**ASKED, extra_body=sampling, stop_sequences=["a", "b"])
    told = facts(balanced)
    assert told["gen_ai.request.temperature"] == 1.0
    assert told["gen_ai.request.top_p"] == 0.5
    assert told["gen_ai.request.top_k"] == 7
    assert told["gen_ai.request.stop_sequences"] == ("a", "b")
    assert told["gen_ai.request.max_tokens"] == 99


@pytest.mark.skipif(int(anthropic.__version__.split(".")[0]) > 0, reason="parameters before 1.0 only")
def test_how_to_sample_was_a_parameter(balanced: Recorded, client: Any) -> None:
    client.messages.create(**ASKED, temperature=0.25, top_p=0.5, top_k=7)
    told = facts(balanced)
    assert told["gen_ai.request.temperature"] == 0.25
    assert (told["gen_ai.request.top_p"], told["gen_ai.request.top_k"]) == (0.5, 7)


def test_effort_and_format_are_told(balanced: Recorded, client: Any) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    config = {"effort": "high", "format": {"type": "json_schema", "schema": schema}}
    client.beta.messages.create(**ASKED, extra_body={"output_config": config})
    told = facts(balanced)
    assert told["gen_ai.request.reasoning.level"] == "high"
    assert told["gen_ai.output.type"] == "json"


# --- why it finished ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_call"),
        ("refusal", "content_filter"),
        ("pause_turn", "pause_turn"),
        ("of_the_future", "of_the_future"),
    ],
)
def test_stop_reasons_are_the_conventions(
    balanced: Recorded, model_server: ModelServer, client: Any, reason: str, told: str
) -> None:
    whole = {**start(input_tokens=1, output_tokens=2)["message"], "stop_reason": reason}
    model_server.reply(whole)
    client.messages.create(**ASKED)
    streamed(model_server, client, start(input_tokens=1), delta(reason, output_tokens=2))
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in balanced.calls()]
    assert reasons == [(told,)] * 2


@pytest.mark.parametrize("streams", [False, True])
def test_a_refusal_is_no_error_and_no_filter(balanced: Recorded, client: Any, *, streams: bool) -> None:
    answer = client.messages.create(**{**ASKED, "model": "claude-test+refusal"}, stream=streams)
    if streams:
        list(answer)
    assert outcome(balanced.span()) == ("completed", "UNSET", None)
    assert facts(balanced)["gen_ai.response.finish_reasons"] == ("content_filter",)
    assert facts(balanced)["genai_otel.refused"] is True
    (point,) = balanced.metrics()["genai_otel.client.finish_reasons"]
    assert point.attributes["genai_otel.finish_reason"] == "refusal"


# --- usage: the vendor's input excludes the cache -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"input_tokens": 10, "output_tokens": 5}, (10, 5, None, None)),
        (
            {
                "input_tokens": 10,
                "output_tokens": 5,
                "cache_read_input_tokens": 100,
                "cache_creation_input_tokens": 1000,
            },
            (1110, 5, 100, 1000),
        ),
        ({"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 9}, (9, 0, 9, None)),
        (
            {
                "input_tokens": 3,
                "output_tokens": 4,
                "cache_read_input_tokens": 0,
                "cache_creation_input_tokens": None,
            },
            (3, 4, None, None),
        ),
        ({}, (None, None, None, None)),
    ],
)
@pytest.mark.seed_rows("000-22")
def test_input_includes_what_the_cache_served_and_took(
    balanced: Recorded, model_server: ModelServer, client: Any, counts: dict[str, Any], told: tuple[Any, ...]
) -> None:
    model_server.reply({**start(**counts)["message"], "stop_reason": "end_turn"})
    client.messages.create(**ASKED)
    # As the vendor streams it: the input at the start, the output at the end, which may repeat the input.
    repeated = delta(**counts)
    streamed(model_server, client, start(**{**counts, "output_tokens": 1}), repeated)
    output = {name: count for name, count in counts.items() if name == "output_tokens"}
    streamed(model_server, client, start(**{**counts, "output_tokens": 1}), delta(**output))
    assert [usage(span) for span in balanced.calls()] == [told] * 3


def test_the_last_counts_are_the_final_ones(
    balanced: Recorded, model_server: ModelServer, client: Any
) -> None:
    """A tool that the vendor runs itself adds input on the way."""
    first = {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 1}
    final = {"input_tokens": 300, "cache_read_input_tokens": 50, "output_tokens": 20}
    streamed(model_server, client, start(**first), delta(None, output_tokens=10), delta("end_turn", **final))
    assert usage(balanced.span()) == (350, 20, 50, None)


def test_thinking_is_part_of_the_output(balanced: Recorded, model_server: ModelServer, client: Any) -> None:
    counts: dict[str, Any] = {
        "input_tokens": 1,
        "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 6},
    }
    streamed(model_server, client, start(input_tokens=1), delta(**counts))
    told = facts(balanced)
    assert told["gen_ai.usage.output_tokens"] == 9
    assert told["gen_ai.usage.reasoning.output_tokens"] == 6


def test_compactions_are_paid_for_beside_the_totals(
    balanced: Recorded, model_server: ModelServer, client: Any
) -> None:
    each = {"cache_read_input_tokens": 10, "cache_creation_input_tokens": 0, "output_tokens": 7}
    counts = {
        "input_tokens": 1,
        "output_tokens": 2,
        "iterations": [
            {"type": "compaction", "input_tokens": 100, **each},
            {"type": "message", "input_tokens": 1, **each},
        ],
    }
    model_server.reply({**start(**counts)["message"], "stop_reason": "end_turn"})
    client.beta.messages.create(**ASKED)
    assert usage(balanced.span())[:2] == (111, 9)


def test_what_a_stream_says_of_its_output_before_the_end_is_no_count(balanced: Recorded, client: Any) -> None:
    with client.messages.create(**ASKED, stream=True) as stream:
        next(stream)
    assert usage(balanced.span())[:2] == (12, None)


def test_counting_tokens_uses_none(balanced: Recorded, client: Any) -> None:
    assert client.messages.count_tokens(model="claude-test", messages=MESSAGES).input_tokens == 12
    assert usage(balanced.span()) == (None,) * 4
    assert "gen_ai.client.token.usage" not in balanced.metrics()


# --- the client's own loops ---------------------------------------------------------------------------------------


def tool(client: Any) -> Any:
    if not hasattr(client.beta.messages, "tool_runner"):
        pytest.skip(f"anthropic {anthropic.__version__} has no tool runner")
    from anthropic import beta_tool

    @beta_tool
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    return get_weather


@pytest.mark.parametrize("streams", [False, True])
def test_each_turn_of_a_tool_runner_is_one_call(balanced: Recorded, client: Any, streams: bool) -> None:
    tools = [tool(client)]
    runner = client.beta.messages.tool_runner(**ASKED, tools=tools, stream=streams)
    for turn in runner:
        if streams:
            assert turn.get_final_message().content
    first, last = balanced.calls()
    assert first.attributes["gen_ai.response.finish_reasons"] == ("tool_call",)
    assert last.attributes["gen_ai.response.finish_reasons"] == ("stop",)
    assert [usage(span) for span in (first, last)] == [(12, 7, 4, 2)] * 2
    assert first.attributes.get("gen_ai.request.stream", False) is streams


@pytest.mark.parametrize("streams", [False, True])
async def test_each_turn_of_an_async_tool_runner_is_one_call(
    balanced: Recorded, client: Any, model_server: ModelServer, streams: bool
) -> None:
    tool(client)
    from anthropic import beta_async_tool

    @beta_async_tool
    async def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"sunny in {city}"

    async with PAYLOAD.make(model_server.base_url, True) as other:
        async for turn in other.beta.messages.tool_runner(**ASKED, tools=[get_weather], stream=streams):
            if streams:
                assert (await turn.get_final_message()).content
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in balanced.calls()]
    assert reasons == [("tool_call",), ("stop",)]
    assert [usage(span) for span in balanced.calls()] == [(12, 7, 4, 2)] * 2


def test_a_tool_runner_that_is_left_ends_its_turn(balanced: Recorded, client: Any) -> None:
    tools = [tool(client)]
    turn = next(iter(client.beta.messages.tool_runner(**ASKED, tools=tools, stream=True)))
    next(iter(turn))
    turn.close()
    assert outcome(balanced.span())[0] == "closed"


def test_a_tool_call(balanced: Recorded, client: Any) -> None:
    client.messages.create(**ASKED, tools=[TOOL])
    with client.messages.stream(**ASKED, tools=[TOOL]) as stream:
        assert stream.get_final_message().content[0].input == {"city": "example"}
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in balanced.calls()]
    assert reasons == [("tool_call",)] * 2


def test_what_a_helper_offers(balanced: Recorded, client: Any) -> None:
    for read in ("get_final_text", "get_final_message", "until_done"):
        with client.messages.stream(**ASKED) as stream:
            getattr(stream, read)()
            assert stream.current_message_snapshot.usage.output_tokens == 7
            assert stream.request_id
    with client.messages.stream(**ASKED) as stream:
        assert "".join(stream.text_stream).startswith("Hello")
    assert [outcome(span)[0] for span in balanced.calls()] == ["completed"] * 4


def test_a_manager_may_be_entered_again(balanced: Recorded, client: Any) -> None:
    manager = client.messages.stream(**ASKED)
    for _ in range(2):
        with manager as stream:
            stream.until_done()
    assert [outcome(span)[0] for span in balanced.calls()] == ["completed"] * 2


def test_an_error_in_mid_stream_has_its_kind(balanced: Recorded, client: Any) -> None:
    with pytest.raises(anthropic.APIStatusError):
        list(client.messages.create(**{**ASKED, "model": "claude-test+midstream-error"}, stream=True))
    assert outcome(balanced.span())[:2] == ("failed", "ERROR")
