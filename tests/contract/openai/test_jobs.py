"""Batches and videos: each look at one is a call, and what it took is counted once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.payload import CANARY
from tests.contract.recorded import Recorded, outcome

pytestmark = [
    pytest.mark.usefixtures("balanced"),
    pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning"),
]

WINDOW: Any = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
USAGE = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens")
BATCH = {"id": "batch_1", "object": "batch", "input_file_id": "file-1", "created_at": 1, **WINDOW}
TOOK = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 7,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 19,
}


def usage(span: Any) -> tuple[Any, ...]:
    return tuple(span.attributes.get(name) for name in USAGE)


def counted(balanced: Recorded) -> dict[str, float]:
    points = balanced.metrics().get("gen_ai.client.token.usage", [])
    return {str(point.attributes["gen_ai.token.type"]): point.sum or 0 for point in points}


def newer(batch: Any) -> None:
    if not hasattr(batch, "usage"):
        pytest.skip("this version of the client knows no usage of batches")


def test_a_batch_is_counted_once_however_often_it_is_looked_at(balanced: Recorded, client: Any) -> None:
    batch = client.batches.create(input_file_id="file-1", **WINDOW)
    done = client.batches.retrieve(batch.id)
    client.batches.retrieve(batch_id=batch.id)
    client.batches.with_raw_response.retrieve(batch.id).parse()
    made, *looks = balanced.calls()
    assert (made.name, {look.name for look in looks}) == ("create_batch", {"fetch_batch"})
    assert {look.attributes["gen_ai.response.id"] for look in looks} == {batch.id}
    assert [look.attributes["gen_ai.response.status"] for look in looks] == [done.status] * 3
    assert usage(made) == (None,) * 3
    assert [usage(look) for look in looks] == [(12, 7, 4), (None,) * 3, (None,) * 3]
    assert counted(balanced) == {"input": 12, "output": 7}


def test_a_batch_that_goes_on_is_counted_when_it_has_ended(
    balanced: Recorded, client: Any, model_server: Any
) -> None:
    for status in ("in_progress", "finalizing", "expired", "expired"):
        model_server.reply({**BATCH, "id": "batch_on", "status": status, "usage": TOOK})
        client.batches.retrieve("batch_on")
    assert [usage(look)[0] for look in balanced.calls()] == [None, None, 12, None]
    assert [outcome(look)[0] for look in balanced.calls()] == ["completed"] * 4


def test_a_batch_without_usage_has_none(balanced: Recorded, client: Any, model_server: Any) -> None:
    for took in ({}, {"usage": None}, {"usage": TOOK}):
        model_server.reply({**BATCH, "id": "batch_silent", "status": "completed", **took})
        client.batches.retrieve("batch_silent")
    assert [usage(look)[0] for look in balanced.calls()] == [None, None, 12]


def test_a_batch_that_failed_says_why(balanced: Recorded, client: Any, model_server: Any) -> None:
    model_server.reply(
        {**BATCH, "status": "failed", "errors": {"object": "list", "data": [{"code": "empty_file"}]}}
    )
    model_server.reply({**BATCH, "status": "failed"})
    client.batches.retrieve("batch_1")
    client.batches.retrieve("batch_1")
    assert [outcome(look) for look in balanced.calls()] == [
        ("failed", "ERROR", "empty_file"),
        ("failed", "ERROR", "failed"),
    ]


def videos(client: Any) -> Any:
    return client.videos if hasattr(client, "videos") else pytest.skip("this version has no videos")


def test_a_video_is_made_and_then_looked_at(balanced: Recorded, client: Any) -> None:
    assert videos(client).create_and_poll(model="sora", prompt=CANARY).status == "completed"
    made, look = balanced.calls()
    assert (made.name, look.name) == ("generate_content sora", "fetch_response")
    assert look.attributes["gen_ai.response.id"] == made.attributes["gen_ai.response.id"]
    assert [span.attributes["gen_ai.response.status"] for span in (made, look)] == ["queued", "completed"]
    assert "gen_ai.client.token.usage" not in balanced.metrics()


@pytest.mark.parametrize("method", ["edit", "extend"])
def test_a_video_of_a_video(balanced: Recorded, client: Any, method: str) -> None:
    change = getattr(videos(client), method, None)
    if change is None:
        pytest.skip("not in this version")
    more: Any = {"seconds": "4"} if method == "extend" else {}
    change(video=("a.mp4", b"no film"), prompt=CANARY, **more)
    span = balanced.span()
    assert (span.name, span.attributes["gen_ai.output.type"]) == ("generate_content", "video")


def test_a_video_that_failed_says_why(balanced: Recorded, client: Any, model_server: Any) -> None:
    error = {"code": "moderation_blocked", "message": CANARY}
    model_server.reply({"id": "video_1", "object": "video", "status": "failed", "error": error})
    videos(client).retrieve("video_1")
    assert outcome(balanced.span()) == ("failed", "ERROR", "moderation_blocked")
