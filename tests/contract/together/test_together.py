"""What Together's answers have of their own: counts beside the totals, ids, videos."""

from __future__ import annotations

from typing import Any

import pytest

from genai_otel.testing import ModelServer
from tests.contract.bodies import COUNTS, chunks, completion, ending, usage
from tests.contract.caller import Caller, settled
from tests.contract.payload import CANARY
from tests.contract.payloads.together import MESSAGES
from tests.contract.recorded import Recorded, outcome

pytestmark = pytest.mark.usefixtures("balanced")

ASKED: Any = {"model": "m", "messages": MESSAGES}
TOTALS = {"input_tokens": 100, "output_tokens": 50}


@pytest.mark.parametrize(
    "case",
    [
        ({}, {}),
        ({"cached_tokens": 0}, {}),
        (
            {"cached_tokens": 60, "reasoning_tokens": 7},
            {"cache_read.input_tokens": 60, "reasoning.output_tokens": 7},
        ),
        ({"prompt_tokens_details": {"cached_tokens": 60}}, {"cache_read.input_tokens": 60}),
    ],
    ids=["plain", "none", "beside", "details"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_usage(
    balanced: Recorded, caller: Caller, model_server: ModelServer, case: Any, stream: bool
) -> None:
    told, more = case
    if stream:
        model_server.reply(events=[*chunks(ending(usage={**COUNTS, **told})), "[DONE]"])
        await caller.read(await settled(caller.client.chat.completions.create(**ASKED, stream=True)))
    else:
        model_server.reply(completion(usage=told))
        await settled(caller.client.chat.completions.create(**ASKED))
    assert usage(balanced.span()) == {**TOTALS, **more}


async def test_a_picture_is_kept_by_its_address(
    said: list[dict[str, Any]], balanced: Recorded, caller: Caller, model_server: ModelServer
) -> None:
    image = {"index": 0, "type": "url", "url": "https://pictures.example/1"}
    model_server.reply({"id": "img-1", "model": "m-1", "object": "list", "data": [image]})
    await settled(caller.client.images.generate(model="m", prompt="a mine"))
    assert balanced.span().attributes["gen_ai.response.id"] == "img-1"
    (answer,) = said[0]["gen_ai.output.messages"]
    assert answer["parts"] == [{"type": "uri", "modality": "image", "uri": "https://pictures.example/1"}]


async def test_a_video_is_a_job(balanced: Recorded, caller: Caller, model_server: ModelServer) -> None:
    if not hasattr(caller.client, "videos"):
        pytest.skip("not in this version of the client")
    job = {"id": "v1", "created_at": 1, "model": "m-1", "seconds": "5", "size": "1x1", "object": "video"}
    model_server.reply({**job, "status": "in_progress"})
    await settled(caller.client.videos.create(model="m", prompt=CANARY))
    model_server.reply({**job, "status": "failed", "error": {"message": CANARY, "code": "moderated"}})
    await settled(caller.client.videos.retrieve("v1"))
    made, fetched = balanced.calls()
    assert (made.name, outcome(made)[0]) == ("generate_content m", "completed")
    assert made.attributes["gen_ai.output.type"] == "video"
    assert fetched.name == "fetch_response"
    assert outcome(fetched) == ("failed", "ERROR", "moderated")
    told = [
        (span.attributes["gen_ai.response.id"], span.attributes["gen_ai.response.status"])
        for span in (made, fetched)
    ]
    assert told == [("v1", "in_progress"), ("v1", "failed")]
