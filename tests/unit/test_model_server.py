"""The model server's chat completions, as the real OpenAI client sees them."""

import json
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from genai_otel.testing import ModelServer
from tests.harness.calls import HELLO, WEATHER, chat


def test_chat_answers_with_distinct_usage(client: Any, model_server: ModelServer) -> None:
    result = chat(client, service_tier="flex")
    usage = result.usage
    numbers = [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens]
    read, written = usage.prompt_tokens_details.cached_tokens, usage.prompt_tokens_details.cache_write_tokens
    assert [*numbers, read, written, usage.completion_tokens_details.reasoning_tokens] == [12, 7, 19, 4, 2, 3]
    assert result.choices[0].message.content == "Hello from the local model server."
    assert (result.model, result.service_tier) == ("gpt-4o-mini-2024-07-18", "flex")
    assert result._request_id.startswith("req_")
    assert model_server.requests[0].route == "/v1/chat/completions"
    assert model_server.requests[0].headers["authorization"] == "Bearer sk-test"
    assert json.loads(model_server.requests[0].body)["messages"] == HELLO


def test_chat_stream_sends_usage_only_when_asked(client: Any) -> None:
    chunks = list(chat(client, stream=True))
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        == "Hello from the local model server."
    )
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert [chunk.usage for chunk in chunks] == [None] * 8
    last = list(chat(client, stream=True, stream_options={"include_usage": True}))[-1]
    assert (last.choices, last.usage.prompt_tokens) == ([], 12)


def test_several_choices_and_logprobs(client: Any) -> None:
    result = chat(client, n=3, logprobs=True)
    assert [choice.index for choice in result.choices] == [0, 1, 2]
    assert result.choices[2].logprobs.content[0].token == "Hello"
    streamed = list(chat(client, n=2, stream=True, logprobs=True))
    assert {chunk.choices[0].index for chunk in streamed} == {0, 1}
    assert streamed[2].choices[0].logprobs.content[0].logprob == -0.25


def test_a_tool_loop_ends_with_an_answer(client: Any) -> None:
    messages = list(HELLO)
    for expected_calls in (2, 2, 0):
        message = (
            chat(client, "m+tool-calls-2+rounds-2", messages=messages, tools=[WEATHER]).choices[0].message
        )
        calls: list[Any] = message.tool_calls or []
        assert len(calls) == expected_calls
        messages.append(message.model_dump(exclude_none=True))
        messages += [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in calls]
    assert message.content == "Hello from the local model server."
    assert json.loads(messages[1]["tool_calls"][0]["function"]["arguments"]) == {"city": "example", "days": 2}


def test_tool_choice_is_obeyed(client: Any) -> None:
    assert not chat(client, tools=[WEATHER], tool_choice="none").choices[0].message.tool_calls
    other = {"type": "function", "function": {"name": "other"}}
    chosen = chat(client, tools=[WEATHER, other], tool_choice=other).choices[0].message.tool_calls
    assert [call.function.name for call in chosen] == ["other"]


def test_streamed_tool_calls_come_in_fragments(client: Any) -> None:
    with client.chat.completions.stream(model="m", messages=HELLO, tools=[WEATHER]) as stream:
        final = stream.get_final_completion()
    call = final.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "example", "days": 2}
    assert final.choices[0].finish_reason == "tool_calls"


def test_custom_tools(client: Any) -> None:
    tool = {"type": "custom", "custom": {"name": "code"}}
    call = chat(client, tools=[tool]).choices[0].message.tool_calls[0]
    assert (call.type, call.custom.name, call.custom.input) == ("custom", "code", "example")
    chunks = list(chat(client, tools=[tool], stream=True))
    assert chunks[1].choices[0].delta.tool_calls[0].type == "custom"


class Person(BaseModel):
    name: str
    age: int
    friends: list["Person"]


def test_structured_output_fits_the_schema(client: Any) -> None:
    result = client.chat.completions.parse(model="m", messages=HELLO, response_format=Person)
    person = result.choices[0].message.parsed
    assert (person.name, person.age) == ("example", 1)
    parsed = client.responses.parse(model="m", input="who", text_format=Person).output_parsed
    assert parsed == person


def test_refusal(client: Any) -> None:
    message = chat(client, "m+refusal").choices[0].message
    assert (message.content, message.refusal) == (None, "I cannot help with that.")
    content = client.responses.create(model="m+refusal", input="x").output[0].content[0]
    assert (content.type, content.refusal) == ("refusal", "I cannot help with that.")
    with client.responses.stream(model="m+refusal", input="x") as stream:
        assert [event.type for event in stream].count("response.refusal.done") == 1


def test_finish_reasons(client: Any) -> None:
    assert chat(client, "m+length").choices[0].finish_reason == "length"
    assert chat(client, "m+content-filter").choices[0].finish_reason == "content_filter"
    with pytest.raises(openai.LengthFinishReasonError) as caught:
        client.chat.completions.parse(model="m+length", messages=HELLO, response_format=Person)
    usage = caught.value.completion.usage
    assert usage is not None
    assert usage.completion_tokens == 7


def test_echo_chunks_and_usage_numbers(client: Any) -> None:
    assert chat(client, "m+echo").choices[0].message.content == "say hello"
    parts = [{"role": "user", "content": [{"type": "text", "text": "in parts"}]}]
    assert chat(client, "m+echo", messages=parts).choices[0].message.content == "in parts"
    assert len(list(chat(client, "m+chunks-200", stream=True))) == 202
    usage = chat(client, "m+input-1000+output-20+cached-500").usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (1000, 20)
    assert usage.prompt_tokens_details.cached_tokens == 500


def test_legacy_completions(client: Any) -> None:
    result = client.completions.create(model="gpt-3.5-turbo-instruct", prompt=["a", "b"], n=2)
    assert len(result.choices) == 4
    assert result.usage.completion_tokens == 7
    options = {"include_usage": True}
    chunks = list(client.completions.create(model="m", prompt="a", stream=True, stream_options=options))
    assert "".join(choice.text for chunk in chunks for choice in chunk.choices) == result.choices[0].text
    assert chunks[-1].usage.prompt_tokens == 12


def test_azure_paths(model_server: ModelServer) -> None:
    client: Any = openai.AzureOpenAI(azure_endpoint=model_server.url, api_key="k", api_version="2024-10-21")
    assert chat(client, "my-deployment").choices[0].message.content.startswith("Hello")
    assert model_server.requests[0].route == "/openai/deployments/my-deployment/chat/completions"
    with pytest.raises(openai.NotFoundError):
        chat(client, "d+error-404")
