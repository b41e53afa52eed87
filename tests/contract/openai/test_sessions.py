"""OpenAI's APIs over a WebSocket: a span for the session and one for each response, however they end."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from operator import attrgetter
from typing import Any

import pytest
import pytest_asyncio

from genai_otel.clients.openai import SPEC
from genai_otel.engine.call import abandon_all
from genai_otel.engine.responses import Responses
from genai_otel.testing import ModelServer
from tests.contract.caller import Caller, settled, some_error
from tests.contract.payload import CANARY, Payload
from tests.contract.recorded import Recorded, collected, outcome
from tests.contract.talker import events, responses, session, until
from tests.contract.test_calls import COST
from tests.contract.warm import Warm
from tests.harness.calls import WEATHER_FLAT

pytest.importorskip("websockets", minversion="13")
pytestmark = [
    pytest.mark.usefixtures("balanced"),
    pytest.mark.filterwarnings(r"ignore:connect\(\) must be used as a context manager:DeprecationWarning"),
]

MODEL = "gpt-realtime"
_USAGE = {
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 4,
}


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def asynchronous(request: pytest.FixtureRequest) -> bool:
    return request.param


class Talker:
    """Opens connections of the client's Realtime API, under whichever name this version has it."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.client = caller.client
        found = [path for path in ("realtime", "beta.realtime") if _has(self.client, path)]
        if not found:
            pytest.skip("this version has no Realtime API")
        self.path = found[0]

    def connect(self, directives: str = "", **options: Any) -> Any:
        model = f"{MODEL}+{directives}" if directives else MODEL
        return attrgetter(self.path)(self.client).connect(model=model, **options)

    def entered(self, directives: str = "", **options: Any) -> Any:
        return self.caller.entered(self.connect(directives, **options))


def _has(client: Any, path: str) -> bool:
    try:
        return hasattr(attrgetter(path)(client), "connect")
    except AttributeError:
        return False


@pytest_asyncio.fixture
async def talker(
    telemetry: Recorded, payload: Payload, model_server: ModelServer, asynchronous: bool
) -> AsyncIterator[Talker]:
    del telemetry
    at = "ws" + model_server.base_url.removeprefix("http")  # older clients take no other way without TLS
    caller = Caller(payload, model_server, asynchronous=asynchronous, websocket_base_url=at)
    yield Talker(caller)
    await caller.close()
    await asyncio.sleep(0)


def fields(value: Any) -> dict[str, Any]:
    """What stands on an object itself."""
    return value.__dict__


def done(event: Any) -> bool:
    return event.type == "response.done"


async def ask(connection: Any, **response: Any) -> None:
    await settled(connection.response.create(**({"response": response} if response else {})))


async def test_facts_of_a_session_and_of_a_response(
    balanced: Recorded, talker: Talker, model_server: ModelServer
) -> None:
    last: Any = None
    async with talker.entered() as connection:
        await settled(connection.recv())
        await ask(connection, max_output_tokens=9) if talker.path == "realtime" else await ask(connection)
        async for last in events(connection):
            if done(last):
                break
    (response,) = responses(balanced)
    told = {name: value for name, value in response.attributes.items() if not name.startswith(COST)}
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "server.address": "127.0.0.1",
        "server.port": model_server.port,
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.8,
        "gen_ai.output.type": "speech",
        "gen_ai.conversation.id": session(balanced).attributes["gen_ai.conversation.id"],
        "gen_ai.response.model": f"{MODEL}-2025-08-28",
        "gen_ai.response.id": last.response.id,
        "gen_ai.response.status": "completed",
        "gen_ai.response.finish_reasons": ("stop",),
        **_USAGE,
        "gen_ai.usage.text.cache_read.input_tokens": 4,
        "gen_ai.usage.text.input_tokens": 7,
        "gen_ai.usage.audio.input_tokens": 5,
        "gen_ai.usage.text.output_tokens": 6,
        "gen_ai.usage.audio.output_tokens": 1,
        "genai_otel.outcome": "completed",
        "genai_otel.stream.chunks": 12,
        "gen_ai.response.time_to_first_chunk": response.attributes["gen_ai.response.time_to_first_chunk"],
        "genai_otel.stream.time_per_chunk": response.attributes["genai_otel.stream.time_per_chunk"],
        "genai_otel.measured": True,
        **({"gen_ai.request.max_tokens": 9} if talker.path == "realtime" else {}),
    }
    assert response.name == f"chat {MODEL}"
    above = session(balanced)
    assert above.name == f"realtime_session {MODEL}"
    assert outcome(above) == ("completed", "UNSET", None)
    assert not [name for name in above.attributes if ".usage." in name or name == "genai_otel.measured"]


async def test_the_connection_is_the_clients_own(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered() as connection:
        kind = "AsyncRealtimeConnection" if talker.caller.asynchronous else "RealtimeConnection"
        assert type(connection).__name__ == kind
        assert not {"recv", "send", "recv_bytes", "parse_event", "close"} & fields(connection).keys()
        await ask(connection)
        taken = [connection.parse_event(await settled(connection.recv_bytes())) for _ in range(3)]
        assert [event.type for event in taken[:2]] == ["session.created", "response.created"]
        await until(connection, done)
        socket = fields(connection)["_connection"]
    assert not {"recv", "send", "close"} & fields(socket).keys()
    assert [outcome(span)[0] for span in responses(balanced)] == ["completed"]


async def test_entered_by_hand_and_closed_by_hand(balanced: Recorded, talker: Talker) -> None:
    connection = await settled(talker.connect().enter())
    await ask(connection)
    await until(connection, done)
    assert balanced.calls()[0].attributes["genai_otel.outcome"] == "completed"
    await settled(connection.close())
    assert outcome(session(balanced)) == ("completed", "UNSET", None)


async def test_one_manager_for_two_connections(balanced: Recorded, talker: Talker) -> None:
    manager = talker.connect()
    opened = [await settled(manager.enter()) for _ in range(2)]
    for connection in opened:
        await ask(connection)
        await until(connection, done)
        await settled(connection.close())
    kinds = [span.attributes["gen_ai.operation.name"] for span in balanced.calls()]
    assert kinds == ["chat", "realtime_session"] * 2


async def test_a_version_in_which_it_cannot_be_followed(
    balanced: Recorded, talker: Talker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: Any) -> Any:
        raise AttributeError

    for endpoint in SPEC.endpoints:
        if endpoint.session is not None:
            monkeypatch.setitem(vars(endpoint.session), "socket", missing)
    async with talker.entered() as connection:
        await ask(connection)
        await until(connection, done)
    assert outcome(session(balanced)) == ("completed", "UNSET", None)


async def test_several_responses_at_a_time(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("slow-chunk-5ms") as connection:
        for _ in range(3):
            await ask(connection, conversation="none")
        seen: list[Any] = []
        while len([event for event in seen if done(event)]) < 3:
            seen.append(await settled(connection.recv()))
    ids = [event.response.id for event in seen if event.type == "response.created"]
    deltas = [event.response_id for event in seen if event.type.endswith("delta")]
    assert deltas != sorted(deltas, key=ids.index)  # they did take turns
    found = responses(balanced)
    assert [span.attributes["gen_ai.response.id"] for span in found] == ids
    assert [span.attributes["genai_otel.stream.chunks"] for span in found] == [12] * 3
    assert all(span.attributes["gen_ai.usage.input_tokens"] == 12 for span in found)
    assert found[0].end_time > found[2].start_time


async def test_time_to_the_first_chunk(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("slow-first-80ms+chunks-1") as connection:
        await ask(connection)
        await until(connection, done)
    first = responses(balanced)[0].attributes["gen_ai.response.time_to_first_chunk"]
    assert 0.08 <= first < 2


async def test_a_response_that_nobody_asked_for(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered() as connection:
        detection = {"turn_detection": {"type": "server_vad"}}
        await settled(connection.session.update(session=detection))
        await settled(connection.input_audio_buffer.append(audio="AAAA"))
        await until(connection, done)
        await settled(connection.input_audio_buffer.append(audio="AAAA"))
        await until(connection, done)
    assert [outcome(span)[0] for span in responses(balanced)] == ["completed"] * 2


async def test_cancelled_by_the_program(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("slow-chunk-20ms") as connection:
        await ask(connection)
        await until(connection, lambda event: event.type.endswith(".delta"))
        await settled(connection.response.cancel())
        last = (await until(connection, done))[-1]
    assert last.response.status == "cancelled"
    (response,) = responses(balanced)
    assert outcome(response) == ("cancelled", "UNSET", None)
    assert response.attributes["gen_ai.response.finish_reasons"] == ("cancelled",)
    assert response.attributes["gen_ai.usage.input_tokens"] == 12
    assert outcome(session(balanced))[0] == "completed"


@pytest.mark.parametrize(
    ("directive", "reason", "how"),
    [
        ("failed", "error", ("failed", "ERROR", "server_error")),
        ("length", "length", ("completed", "UNSET", None)),
        ("content-filter", "content_filter", ("completed", "UNSET", None)),
    ],
)
async def test_how_it_finished(
    balanced: Recorded, talker: Talker, directive: str, reason: str, how: tuple[Any, ...]
) -> None:
    async with talker.entered(directive) as connection:
        await ask(connection)
        await until(connection, done)
    (response,) = responses(balanced)
    assert outcome(response) == how
    assert response.attributes["gen_ai.response.finish_reasons"] == (reason,)


async def test_tool_calls(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered() as connection:
        await settled(connection.session.update(session={"tools": [WEATHER_FLAT]}))
        await ask(connection)
        *_, called = await until(connection, done)
        item = {"type": "function_call_output", "call_id": called.response.output[0].call_id, "output": "{}"}
        await settled(connection.conversation.item.create(item=item))
        await ask(connection)
        await until(connection, done)
    reasons = [span.attributes["gen_ai.response.finish_reasons"] for span in responses(balanced)]
    assert reasons == [("tool_call",), ("stop",)]


async def test_an_error_event_fails_the_response_that_it_is_about(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("slow-first-50ms") as connection:
        await ask(connection)
        await settled(connection.response.create(event_id="second"))  # one is active already
        await settled(connection.send({"type": "no.such.event", "event_id": "third"}))
        await until(connection, done)
    first, second = responses(balanced)
    assert outcome(first)[0] == "completed"
    assert outcome(second) == ("failed", "ERROR", "conversation_already_has_active_response")
    assert outcome(session(balanced)) == ("completed", "UNSET", None)


async def test_a_lost_connection(balanced: Recorded, talker: Talker) -> None:
    with some_error() as caught:
        async with talker.entered("cut-after-4") as connection:
            await ask(connection)
            await until(connection, done)
    kind = type(caught.value).__name__
    (response,) = responses(balanced)
    assert outcome(response) == ("cut", "ERROR", kind)
    assert response.attributes["gen_ai.response.id"].startswith("resp_")
    assert outcome(session(balanced)) == ("cut", "ERROR", kind)


async def test_the_vendor_closes(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("drop-after-3") as connection:
        await ask(connection)
        seen = [event async for event in events(connection)]
    assert len(seen) == 4
    assert outcome(responses(balanced)[0])[0] == "cut"
    assert outcome(session(balanced)) == ("completed", "UNSET", None)


async def test_left_early(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("hang-after-3") as connection:
        await ask(connection)
        async for event in events(connection):
            if event.type == "response.output_item.added":
                break
    assert outcome(responses(balanced)[0]) == ("closed", "UNSET", None)
    assert outcome(session(balanced)) == ("closed", "UNSET", None)


async def test_an_exception_of_the_programs(balanced: Recorded, talker: Talker) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with talker.entered("hang-after-3") as connection:
            await ask(connection)
            await settled(connection.recv())
            raise KeyError("mine")
    assert outcome(responses(balanced)[0]) == ("failed", "ERROR", "KeyError")
    assert outcome(session(balanced)) == ("failed", "ERROR", "KeyError")


async def test_dropped(balanced: Recorded, talker: Talker) -> None:
    connection = await settled(talker.connect("hang-after-3").enter())
    socket = fields(connection)["_connection"]
    await ask(connection)
    await until(connection, lambda event: event.type == "response.output_item.added")
    del connection
    await collected()
    assert outcome(responses(balanced)[0]) == ("abandoned", "UNSET", None)
    assert outcome(session(balanced)) == ("abandoned", "UNSET", None)
    await settled(socket.close())


async def test_still_open_at_the_end_of_the_process(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("hang-after-3") as connection:
        await ask(connection)
        await until(connection, lambda event: event.type == "response.output_item.added")
        abandon_all()
        assert outcome(responses(balanced)[0])[0] == "abandoned"
        assert outcome(session(balanced))[0] == "abandoned"


async def test_refused(balanced: Recorded, talker: Talker) -> None:
    with some_error() as caught:
        async with talker.entered("error-429"):
            pass
    assert outcome(session(balanced)) == ("failed", "ERROR", type(caught.value).__qualname__)
    assert responses(balanced) == []


async def test_a_time_limit_ends_nothing(balanced: Recorded, talker: Talker) -> None:
    if not talker.caller.asynchronous:
        pytest.skip("sync connections have no time limit")
    async with talker.entered() as connection:
        await settled(connection.recv())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.02)
        await ask(connection)
        await until(connection, done)
    assert outcome(responses(balanced)[0])[0] == "completed"
    assert outcome(session(balanced))[0] == "completed"


@pytest.mark.parametrize("directive", ["unknown-events", "unknown-fields", "null-usage", "no-output"])
async def test_odd_messages(balanced: Recorded, talker: Talker, directive: str) -> None:
    async with talker.entered(directive) as connection:
        await ask(connection)
        await until(connection, done)
    (response,) = responses(balanced)
    assert outcome(response)[0] == "completed"
    assert ("gen_ai.usage.input_tokens" in response.attributes) is (directive != "null-usage")


CONTENT = """
import json, os, warnings
warnings.simplefilter("ignore")
from genai_otel.testing import telemetry
from tests.contract.payloads.openai import PAYLOAD

recorded = telemetry(capture_content="SPAN_ONLY")
client = PAYLOAD.make(os.environ["MODELS"], False, websocket_base_url=os.environ["SOCKETS"])
api = client.realtime if hasattr(client, "realtime") else client.beta.realtime

def until(kind):
    while connection.recv().type != kind:
        pass

with api.connect(model="gpt-realtime+chunks-2") as connection:
    connection.session.update(session={"instructions": "Sing."})
    until("session.updated")
    said = [{"type": "input_text", "text": "hello"}]
    connection.conversation.item.create(item={"type": "message", "role": "user", "content": said})
    connection.response.create()
    until("response.done")
    connection.response.create()
    until("response.output_item.added")
    connection.recv()
for span in recorded.calls():
    print(json.dumps({name: value for name, value in span.attributes.items() if "messages" in name or "inst" in name}))
"""


def test_content_when_it_is_switched_on(warm: Warm, model_server: ModelServer) -> None:
    at = model_server.base_url
    whole, left, _ = warm.run(CONTENT, {"MODELS": at, "SOCKETS": "ws" + at.removeprefix("http")}).said
    instructions = [{"type": "text", "content": "Sing."}]
    spoken = {"type": "text", "content": "Hello from"}
    assert {name: json.loads(value) for name, value in whole.items()} == {
        "gen_ai.system_instructions": instructions,
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hello"}]}],
        "gen_ai.output.messages": [{"role": "assistant", "parts": [spoken], "finish_reason": "stop"}],
    }
    assert {name: json.loads(value) for name, value in left.items()} == {
        "gen_ai.system_instructions": instructions,
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}]}],
    }


async def test_no_content_by_default(balanced: Recorded, talker: Talker) -> None:
    async with talker.entered("echo") as connection:  # `balanced` looks for the canary
        said = [{"type": "input_text", "text": CANARY}]
        item = {"type": "message", "role": "user", "content": said}
        await settled(connection.conversation.item.create(item=item))
        await ask(connection, instructions=CANARY)
        await until(connection, done)
    assert responses(balanced)


# --- what newer clients have ------------------------------------------------------------------------


async def test_sent_before_there_is_a_connection(balanced: Recorded, talker: Talker) -> None:
    manager = talker.connect()
    if not hasattr(manager, "send"):
        pytest.skip("this version does not send before it is connected")
    manager.send({"type": "response.create"})
    async with talker.caller.entered(manager) as connection:
        await until(connection, done)
    assert outcome(responses(balanced)[0])[0] == "completed"
    assert "gen_ai.response.time_to_first_chunk" in responses(balanced)[0].attributes


async def test_connected_anew(balanced: Recorded, talker: Talker) -> None:
    if not hasattr(talker.connect(), "send"):
        pytest.skip("this version does not connect anew")

    def again(_: Any) -> Any:
        return {"extra_query": {"model": MODEL}}

    async with talker.entered("cut-after-3", on_reconnecting=again, initial_delay=0.01) as connection:
        await ask(connection)
        kinds: list[str] = []
        async for event in events(connection):
            kinds.append(event.type)
            if event.type == "session.created" and kinds.count("session.created") == 2:
                await ask(connection)
            if done(event):
                break
    first, second = responses(balanced)
    assert outcome(first)[0] == "cut"
    assert outcome(second)[0] == "completed"
    assert outcome(session(balanced)) == ("completed", "UNSET", None)


async def test_not_connected_anew(balanced: Recorded, talker: Talker) -> None:
    if not hasattr(talker.connect(), "send"):
        pytest.skip("this version does not connect anew")

    def never(_: Any) -> Any:
        return {"abort": True}

    with some_error():
        async with talker.entered("cut-after-3", on_reconnecting=never) as connection:
            await ask(connection)
            async for _ in events(connection):
                pass
    assert outcome(responses(balanced)[0])[0] == "cut"
    assert outcome(session(balanced))[:2] == ("cut", "ERROR")


async def test_responses(balanced: Recorded, talker: Talker) -> None:
    if not _has(talker.client, "responses"):
        pytest.skip("this version has no Responses over a WebSocket")
    async with talker.caller.entered(talker.client.responses.connect()) as connection:
        for lane, model in (
            ("a", "gpt-4o"),
            ("b", "gpt-4o+error-429"),
            ("c", "gpt-4o-mini+midstream-error-4"),
        ):
            asked = {"type": "response.create", "model": model, "input": CANARY, "temperature": 0.5}
            await settled(connection.send({**asked, "stream_id": lane}))  # lanes are newer than the API
        ends: list[str] = []
        async for event in events(connection):
            ends += [event.type] if event.type in ("response.completed", "error") else []
            if len(ends) == 3:
                break
    ok, refused, failed = responses(balanced)
    assert ok.name == "chat gpt-4o"
    assert ok.attributes.items() >= {
        **_USAGE,
        "openai.api.type": "responses",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.model": "gpt-4o-2024-07-18",
        "gen_ai.usage.reasoning.output_tokens": 3,
        "gen_ai.response.finish_reasons": ("stop",),
        "genai_otel.stream.chunks": 6,
    }.items()  # fmt: skip
    assert outcome(refused) == ("failed", "ERROR", "rate_limit_exceeded")
    assert refused.attributes["http.response.status_code"] == 429
    assert outcome(failed) == ("failed", "ERROR", "server_error")
    assert failed.attributes["gen_ai.response.model"] == "gpt-4o-mini-2024-07-18"
    assert session(balanced).name == "realtime_session"


async def test_live(balanced: Recorded, talker: Talker) -> None:
    if not _has(talker.client, "live"):
        pytest.skip("this version has no Live API")
    backend = {"type": "responses", "responses": {"model": "gpt-4o", "reasoning": {"effort": "low"}}}
    async with talker.caller.entered(talker.client.live.connect()) as connection:
        await settled(connection.session.start(session={"model": "gpt-live-1", "delegation": backend}))
        await settled(connection.session.input_audio.append(audio="AAAA"))
        await until(connection, _completed)
        await settled(connection.response.create())
        await until(connection, _completed)
        await settled(connection.session.close())
        assert [event.type async for event in events(connection)] == ["session.closed"]
    delegated, asked = responses(balanced)
    for span in (delegated, asked):
        assert span.name == "chat gpt-4o"
        assert span.attributes.items() >= {**_USAGE, "gen_ai.request.reasoning.level": "low"}.items()
        assert outcome(span)[0] == "completed"
    above = session(balanced)
    assert outcome(above)[0] == "completed"
    assert above.attributes["gen_ai.request.model"] == "gpt-live-1"
    assert above.attributes["gen_ai.conversation.id"] == asked.attributes["gen_ai.conversation.id"]


@pytest.mark.parametrize("way", ["sideband", "forks"])
async def test_live_from_a_second_connection(balanced: Recorded, talker: Talker, way: str) -> None:
    if not _has(talker.client, f"live.{way}"):
        pytest.skip("this version has no Live API")
    connect = attrgetter(f"live.{way}.connect")(talker.client)
    async with talker.caller.entered(connect(session_id="live_1")) as connection:
        await settled(connection.response.create())
        await until(connection, _completed)
    (response,) = responses(balanced)
    assert response.attributes["gen_ai.response.model"] == "gpt-4o-mini-2024-07-18"
    assert outcome(response)[0] == "completed"


def _completed(event: Any) -> bool:
    return event.type == "response.event" and event.event["type"] == "response.completed"


async def test_nothing_is_kept_of_sessions_that_are_over(balanced: Recorded, talker: Talker) -> None:
    for _ in range(3):
        async with talker.entered() as connection:
            await ask(connection)
            await until(connection, done)
        del connection
    await collected()
    assert len(balanced.calls()) == 6
    assert not [each for each in gc.get_objects() if type(each) is Responses]  # no weak proxy is asked
