"""Anthropic's batches: all that is known of one is in its id."""

from __future__ import annotations

import re

from genai_otel.testing import job
from genai_otel.testing.directives import DEFAULT_MODEL
from genai_otel.testing.wire import Request

PATH = r"/messages/batches/(?P<batch>[^/]+)"


def new_id(asked: str) -> str:
    return job.new_id("msgbatch_") + asked.encode("utf-8", "replace").hex()


def model_of(batch: str) -> str:
    try:
        return bytes.fromhex(batch[len("msgbatch_") + 32 :]).decode() or DEFAULT_MODEL
    except ValueError:
        return DEFAULT_MODEL


def in_path(request: Request) -> str:
    found = re.search(PATH, request.route)
    return found["batch"] if found else ""


def batch(identity: str, status: str, count: int) -> dict[str, object]:
    ended = status == "ended"
    counts = {"processing": 0 if ended else count, "succeeded": count if ended else 0}
    return {
        "id": identity,
        "type": "message_batch",
        "processing_status": status,
        "request_counts": {**counts, "errored": 0, "canceled": 0, "expired": 0},
        "created_at": "2024-08-20T18:37:24.100435Z",
        "expires_at": "2024-08-21T18:37:24.100435Z",
        "ended_at": "2024-08-20T18:37:25.100435Z" if ended else None,
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"/v1/messages/batches/{identity}/results" if ended else None,
    }
