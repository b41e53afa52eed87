"""Documents, sound, summaries and batches, by the client and by its raw clients; not every version has them."""

from __future__ import annotations

from itertools import count
from operator import attrgetter
from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.bodies import usage
from tests.contract.caller import Caller, settled
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

BILLED = {"billed_units": {"input_tokens": 40, "output_tokens": 5}}
PICTURE = {"type": "image_url", "image_url": "https://pictures.example/1"}
SEEN = {"type": "uri", "modality": "image", "uri": "https://pictures.example/1"}
SAID = {"type": "text", "content": "one two"}
KINDS: Any = [
    (
        "v2.parse",
        {"document": PICTURE},
        {"pages": [{"type": "markdown", "index": 0, "markdown": {"content": "one two"}}]},
        ("generate_content", [SEEN]),
    ),
    (
        "v2.parse",
        {"document": PICTURE, "output_format": "blocks"},
        {
            "pages": [
                {"type": "blocks", "index": 0, "blocks": [{"type": "text", "text": {"content": "one two"}}]}
            ]
        },
        ("generate_content", [SEEN]),
    ),
    (
        "summarize",
        {"text": "a mine"},
        {"summary": "one two"},
        ("text_completion", [{"type": "text", "content": "a mine"}]),
    ),
    (
        "audio.transcriptions.create",
        {"language": "en", "file": ("a.wav", b"RIFF", "audio/wav")},
        {"text": "one two"},
        (
            "generate_content",
            [{"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": b"RIFF"}],
        ),
    ),
]
_numbers = count()


def method(caller: Caller, path: str, *, raw: bool) -> Any:
    resource, _, name = path.rpartition(".")
    try:
        holder: Any = attrgetter(resource)(caller.client) if resource else caller.client
        return getattr(holder.with_raw_response if raw else holder, name)
    except AttributeError:
        pytest.skip("not in this version of the client")


@pytest.mark.parametrize("kind", KINDS, ids=["markdown", "blocks", "summary", "sound"])
@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
async def test_an_answer(
    said: list[dict[str, Any]], caller: Caller, model_server: ModelServer, kind: Any, raw: bool
) -> None:
    path, asked, answer, (_, heard) = kind
    call = method(caller, path, raw=raw)
    model_server.reply({"id": "r1", **answer})
    await settled(call(model="m", **asked))
    (only,) = said
    assert only["gen_ai.input.messages"][0]["parts"] == heard
    assert only["gen_ai.output.messages"][0]["parts"] == [SAID]


@pytest.mark.parametrize("kind", KINDS[1:], ids=["blocks", "summary", "sound"])
async def test_facts_of_an_answer(
    balanced: Recorded, caller: Caller, model_server: ModelServer, kind: Any
) -> None:
    path, asked, answer, (operation, _) = kind
    call = method(caller, path, raw=False)
    model_server.reply({"id": "r1", **answer, "meta": BILLED, "finish_reason": "MAX_TOKENS"})
    await settled(call(model="m", **asked))
    span = balanced.span()
    assert (span.name, outcome(span)[0]) == (f"{operation} m", "completed")
    if "audio" not in path:  # which tells none
        assert usage(span) == {"input_tokens": 40, "output_tokens": 5}
    if "parse" in path:
        assert span.attributes["gen_ai.response.finish_reasons"] == ("length",)


@pytest.mark.parametrize("raw", [False, True], ids=["parsed", "raw"])
async def test_a_batch_is_counted_at_the_first_look(
    balanced: Recorded, caller: Caller, model_server: ModelServer, raw: bool
) -> None:
    create, retrieve = (method(caller, f"batches.{name}", raw=raw) for name in ("create", "retrieve"))
    job = {"id": f"b{next(_numbers)}", "name": "n", "input_dataset_id": "d", "model": "command-a"}
    counts = {"input_tokens": "40", "output_tokens": "5"}  # they come as texts
    states: list[dict[str, Any]] = [
        {"status": "BATCH_STATUS_QUEUED"},
        {"status": "BATCH_STATUS_IN_PROGRESS", **counts},
        {"status": "BATCH_STATUS_COMPLETED", **counts},
        {"status": "BATCH_STATUS_COMPLETED", **counts},
    ]
    for number, state in enumerate(states):
        model_server.reply({"batch": {**job, **state}})
        await settled(
            retrieve(job["id"])
            if number
            else create(request={"name": "n", "input_dataset_id": "d", "model": "command-a"})
        )
    made, *looks = balanced.calls()
    assert made.attributes["gen_ai.operation.name"] == "create_batch"
    assert [span.attributes["gen_ai.operation.name"] for span in looks] == ["fetch_batch"] * 3
    told = [span.attributes["gen_ai.response.status"] for span in balanced.calls()]
    assert told == ["queued", "in_progress", "completed", "completed"]
    assert [usage(span) for span in looks] == [{}, {"input_tokens": 40, "output_tokens": 5}, {}]
    assert {span.attributes["gen_ai.response.model"] for span in looks} == {"command-a"}
