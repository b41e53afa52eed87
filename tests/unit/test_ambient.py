"""What the program says of all that happens below: on every span, in threads and tasks, and nowhere afterwards."""

from __future__ import annotations

import asyncio
import contextvars
import hashlib
import hmac
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest
from opentelemetry import baggage, propagate, trace
from opentelemetry import context as otel_context

import genai_otel
from genai_otel import ambient, fence
from genai_otel.config import Config, SettingError
from genai_otel.context_keys import DESTINATION_KEY
from genai_otel.engine import record
from genai_otel.propagate import HostFilter
from genai_otel.testing.in_memory import Telemetry

SAID = {"session.id": "s-1", "genai_otel.tenant": "acme", "genai_otel.tags": ("a", "b"), "plant.id": "p7"}
GIVEN: dict[str, Any] = {"session": "s-1", "tenant": "acme", "tags": ["a", "b"], "plant.id": "p7"}


pytestmark = pytest.mark.usefixtures("either_span_class", "nothing_is_left")


@pytest.fixture(autouse=True)
def nobody_has_said_anything(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after: a call pays nothing before the first use, and so it shall be for the tests that count."""
    assert record.active is not None
    monkeypatch.setattr(record.active, "start", record.active.start)
    monkeypatch.setattr(ambient, "_used", False)
    monkeypatch.setattr(fence, "_said", set[str]())


def step() -> None:
    """A call of a client, and spans of the program and of another library."""
    with genai_otel.inference(provider="mine", model="m"):
        pass
    with trace.get_tracer("mine").start_as_current_span("own"):
        trace.get_tracer("their.library").start_span("other").end()


def told(telemetry: Telemetry) -> list[Mapping[str, Any]]:
    """What each span says of what was told."""
    words = ("session.", "user.", "genai_otel.tenant", "genai_otel.tags", "plant.")
    return [
        {name: value for name, value in (span.attributes or {}).items() if name.startswith(words)}
        for span in telemetry.spans()
    ]


def test_it_is_on_every_span_below_and_on_none_after(telemetry: Telemetry, client: openai.OpenAI) -> None:
    with genai_otel.context(**GIVEN):
        step()
        client.embeddings.create(model="e", input="x")
    step()
    found = told(telemetry)
    assert len(found) >= 7
    assert found[-3:] == [{}, {}, {}]
    assert [one == SAID for one in found[:-3]] == [True] * len(found[:-3])


def test_what_is_said_inside_is_added_and_has_the_last_word(telemetry: Telemetry) -> None:
    own: dict[str, Any] = {"plant.id": 7}
    with genai_otel.context(tenant="acme", session="s"), genai_otel.context(tenant="other", **own):
        step()
    assert told(telemetry)[0] == {"genai_otel.tenant": "other", "session.id": "s", "plant.id": 7}


def test_threads_and_tasks_that_carry_the_context(telemetry: Telemetry) -> None:
    async def task() -> None:
        await asyncio.sleep(0)
        step()

    async def main() -> None:
        async with genai_otel.context(tenant="acme"):
            await asyncio.gather(task(), asyncio.to_thread(step))
        await task()

    asyncio.run(main())
    with ThreadPoolExecutor(1) as pool, genai_otel.context(tenant="acme"):
        pool.submit(contextvars.copy_context().run, step).result()
        pool.submit(step).result()  # which carries none
    said = [bool(one) for one in told(telemetry)]
    assert said == [True] * 6 + [False] * 3 + [True] * 3 + [False] * 3


def test_one_object_in_many_threads_at_once(telemetry: Telemetry) -> None:
    acme = genai_otel.context(tenant="acme")
    both = threading.Barrier(2)
    after: list[Mapping[str, Any]] = []

    def run() -> None:
        with acme:
            both.wait()
            step()
            both.wait()
        after.append(ambient.told(otel_context.get_current()))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert after == [{}, {}]
    assert all(one == {"genai_otel.tenant": "acme"} for one in told(telemetry))


def test_as_a_decorator(telemetry: Telemetry) -> None:
    @genai_otel.context(tenant="acme")
    def plain(number: int) -> int:
        """Doc."""
        step()
        return number

    @genai_otel.context(tenant="acme")
    async def later(number: int) -> int:
        await asyncio.sleep(0)
        step()
        return number

    assert (plain(1), asyncio.run(later(2)), plain.__doc__) == (1, 2, "Doc.")
    assert told(telemetry) == [{"genai_otel.tenant": "acme"}] * 6


@pytest.mark.seed_rows("002-29")
def test_users_are_hashed_unless_a_setting_says_otherwise(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    with genai_otel.context(user="ada@example.com"):
        step()
    monkeypatch.setattr(ambient, "_key", b"secret")
    with genai_otel.context(user="ada@example.com"):
        step()
    monkeypatch.setattr(ambient, "raw_users", True)
    with genai_otel.context(user="ada@example.com"):
        step()
    plain = hmac.new(b"", b"ada@example.com", hashlib.sha256).hexdigest()[:32]
    keyed = hmac.new(b"secret", b"ada@example.com", hashlib.sha256).hexdigest()[:32]
    expected = [{"user.hash": plain}, {"user.hash": keyed}, {"user.id": "ada@example.com"}]
    assert told(telemetry)[::3] == expected


def test_what_cannot_be_is_named_and_left_out(telemetry: Telemetry, caplog: Any) -> None:
    given: Any = {
        "tenant": object(),
        "user": [1],
        "gen_ai.request.model": "lie",
        "error.type": "lie",
        "ok": 1,
    }
    with genai_otel.context(**given, session=None):
        step()
    call = telemetry.calls()[0].attributes or {}
    assert (call["gen_ai.request.model"], call["ok"]) == ("m", 1)
    assert not {"error.type", "session.id", "genai_otel.tenant", "user.hash"} & call.keys()
    assert sorted(record.getMessage().split("(")[1].split("=")[0] for record in caplog.records) == [
        "error.type",
        "gen_ai.request.model",
        "tenant",
        "user",
    ]


def test_long_values_are_cut(telemetry: Telemetry) -> None:
    with genai_otel.context(tenant="x" * 1000):
        step()
    assert {len(one["genai_otel.tenant"]) for one in told(telemetry)} == {256}


# --- other processes --------------------------------------------------------------------------------------------------


def injected(destination: str) -> dict[str, str]:
    headers: dict[str, str] = {}
    token = otel_context.attach(otel_context.set_value(DESTINATION_KEY, destination))
    try:
        propagate.inject(headers)
    finally:
        otel_context.detach(token)
    return headers


def test_as_baggage_it_goes_to_hosts_of_ours_only() -> None:
    with genai_otel.context(tenant="acme & co", user="ada", tags=["a", "b"]):
        inside, outside = injected("10.0.0.1"), injected("api.openai.com")
    said = inside["baggage"].split(",")
    assert "genai_otel.tenant=acme+%26+co" in said
    assert "genai_otel.tags=a%2Cb" in said
    assert "ada" not in inside["baggage"]
    assert outside == {}


@pytest.mark.parametrize(
    ("accepted", "taken"),
    [
        ((), {}),
        (("tenant",), {"genai_otel.tenant": "acme"}),
        (("tags", "plant.id"), {"genai_otel.tags": ("a", "b"), "plant.id": "p7"}),
        (("user",), {"user.hash": "abc"}),
        (
            ("*",),
            {
                "genai_otel.tenant": "acme",
                "genai_otel.tags": ("a", "b"),
                "plant.id": "p7",
                "user.hash": "abc",
            },
        ),
    ],
)
def test_baggage_of_callers_is_taken_over_where_a_setting_says_so(
    telemetry: Telemetry, accepted: tuple[str, ...], taken: dict[str, Any]
) -> None:
    header = "genai_otel.tenant=acme,genai_otel.tags=a%2Cb,plant.id=p7,user.hash=abc,gen_ai.request.model=lie"
    filtered = HostFilter(propagate.get_global_textmap(), (), accepted)
    found = filtered.extract({"baggage": header}, otel_context.Context())
    assert baggage.get_baggage("plant.id", found) == "p7"  # which is the program's own to read, as ever
    token = otel_context.attach(found)
    try:
        step()
    finally:
        otel_context.detach(token)
    assert told(telemetry)[0] == taken
    assert (telemetry.calls()[0].attributes or {})["gen_ai.request.model"] == "m"


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["user", "user.id", "user.hash", "enduser.pseudo.id", "User.email"])
def test_a_user_is_no_label(key: str) -> None:
    with pytest.raises(SettingError, match="users are on spans only"):
        Config.load({"metric_keys": ["tenant", key]}, {})


def test_the_secret_is_in_no_text() -> None:
    assert "hush" not in repr(Config.load({"user_key": "hush"}, {}))
    with pytest.raises(SettingError) as raised:
        Config.load({"user_key": b"hush"}, {})
    assert "hush" not in str(raised.value)
