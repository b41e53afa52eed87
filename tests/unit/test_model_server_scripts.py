"""Scripted answers, the request log, and the model server as a server and a command."""

import json
import socket
import subprocess
import sys
import time
from typing import Any

import openai
import pytest

from genai_otel.testing import Event, ModelServer, Reply, Request
from genai_otel.testing.directives import UnknownDirective, parse, table
from tests.harness.calls import chat
from tests.harness.process import Process


def test_scripted_answers_come_in_order(client: Any, model_server: ModelServer) -> None:
    model_server.reply("first")
    model_server.reply(tool_calls={"get_weather": {"city": "Paris"}})
    model_server.reply({"id": "x", "choices": []})
    model_server.reply(status=503)
    model_server.reply("short one", directives="length+slow-first-100ms")
    model_server.reply(Reply(b"raw", 418, {"x-kind": "teapot"}))
    assert chat(client).choices[0].message.content == "first"
    call = client.responses.create(model="m", input="x").output[0]
    assert (call.name, call.arguments) == ("get_weather", '{"city": "Paris"}')
    assert chat(client).id == "x"
    with pytest.raises(openai.InternalServerError):
        chat(client)
    assert chat(client).choices[0].finish_reason == "length"
    with pytest.raises(openai.APIStatusError) as caught:
        chat(client)
    assert caught.value.response.headers["x-kind"] == "teapot"
    assert chat(client).choices[0].message.content.startswith("Hello")


def test_scripted_stream(client: Any, model_server: ModelServer) -> None:
    chunk: dict[str, Any] = {
        "id": "1",
        "object": "chat.completion.chunk",
        "choices": [],
        "model": "m",
        "created": 1,
    }
    model_server.reply(events=[chunk, Event("[DONE]")])
    assert [part.id for part in chat(client, stream=True)] == ["1"]


def test_bad_script_is_refused_at_once(model_server: ModelServer) -> None:
    with pytest.raises(UnknownDirective):
        model_server.reply("x", directives="nonsense")


def test_a_hook_decides_per_request() -> None:
    def hook(request: Request) -> Reply | None:
        return Reply({"error": {"message": "no"}}, 403) if b"secret" in request.body else None

    with ModelServer(hook) as server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        assert chat(client).choices[0].finish_reason == "stop"
        with pytest.raises(openai.PermissionDeniedError):
            chat(client, messages=[{"role": "user", "content": "secret"}])


def test_request_log_is_bounded_and_cleared() -> None:
    with ModelServer(keep=2) as small, openai.OpenAI(base_url=small.base_url, api_key="k") as client:
        for number in range(3):
            chat(client, user=str(number))
        assert [json.loads(request.body)["user"] for request in small.requests] == ["1", "2"]
        small.clear()
        assert small.requests == []


def test_keep_alive_and_chunked_request_bodies(model_server: ModelServer) -> None:
    body = json.dumps({"model": "m+echo", "input": "y"}).encode()
    head = b"POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (body[:5], len(body) - 5, body[5:])
    with socket.create_connection(("127.0.0.1", model_server.port)) as connection:
        for _ in range(2):
            connection.sendall(head + chunked)
            assert b"200 OK" in connection.recv(65536)
    assert [request.body for request in model_server.requests] == [body, body]


def test_stop_is_quick_closes_connections_and_frees_the_port() -> None:
    server = ModelServer().start()
    with socket.create_connection(("127.0.0.1", server.port)) as idle:
        idle.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in idle.recv(65536)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 2
        assert idle.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
    with server, openai.OpenAI(base_url=server.base_url, api_key="k") as client:
        assert chat(client).choices[0].finish_reason == "stop"


def test_as_a_command_of_its_own() -> None:
    with Process([sys.executable, "-m", "genai_otel.testing", "--port", "0"]) as process:
        url = process.wait_for("http://").strip()
        with openai.OpenAI(base_url=url, api_key="k") as client:
            assert chat(client).choices[0].finish_reason == "stop"
        process.signal(15)
        assert process.finish(timeout=5).code == 0


def test_the_command_documents_every_directive() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "genai_otel.testing", "--help"], check=True, capture_output=True, text=True
    ).stdout
    for form, meaning in table():
        assert form in said
        assert meaning in said


@pytest.mark.parametrize("form", [form for form, _ in table()])
def test_every_form_of_the_table_can_be_read(form: str) -> None:
    for kind, value in {"STATUS": "503", "TIME": "20ms", "FIELD": "usage", "N": "3"}.items():
        form = form.replace(kind, value) if kind in form else form
    bare, _, rest = form.partition("[")
    name, plan = parse(f"some-model+{bare}{rest.rstrip(']')}")
    assert name == "some-model"
    assert plan != parse("some-model")[1]
    assert parse(bare)[0] == "gpt-4o-mini"
