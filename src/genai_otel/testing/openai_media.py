"""OpenAI's other endpoints: embeddings, moderations, images, audio, models."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

from genai_otel.testing.answer import Ask
from genai_otel.testing.job import Job, new_id, now
from genai_otel.testing.openai_chat import BROKEN, DONE
from genai_otel.testing.wire import Event, Reply, items

# One PNG pixel
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"),
    *("self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors"),
    *("violence", "violence/graphic"),
)


def embeddings(job: Job) -> Reply:
    given = job.fields.get("input")
    tokens = items(given) and all(isinstance(token, int) for token in items(given))
    count = 1 if isinstance(given, str) or tokens else len(items(given))
    wanted = job.fields.get("dimensions")
    size = wanted if isinstance(wanted, int) else 8
    vectors = [_vector(job, index, size) for index in range(count)]
    data = [{"object": "embedding", "index": index, "embedding": it} for index, it in enumerate(vectors)]
    usage = {"prompt_tokens": job.usage.input, "total_tokens": job.usage.input}
    return Reply({"object": "list", "data": data, "model": job.model, "usage": usage})


def _vector(job: Job, index: int, size: int) -> object:
    floats = [(index + 1) / (position + 2) for position in range(size)]
    if job.fields.get("encoding_format") != "base64":
        return floats
    return base64.b64encode(struct.pack(f"<{size}f", *floats)).decode()


def moderations(job: Job) -> Reply:
    result = {
        "flagged": False,
        "categories": dict.fromkeys(_CATEGORIES, False),
        "category_scores": dict.fromkeys(_CATEGORIES, 0.01),
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
    count = max(1, len(items(job.fields.get("input"))))
    model = job.model if job.fields.get("model") else "omni-moderation-latest"
    return Reply({"id": new_id("modr-"), "model": model, "results": [result] * count})


def images(job: Job) -> Reply:
    if job.streams:
        edits = job.request.route.endswith("/edits")
        return Reply(events=_image_events(job, "image_edit" if edits else "image_generation"), broken=BROKEN)
    count = int(str(job.fields.get("n") or 1))
    data = [{"b64_json": PIXEL, "revised_prompt": "a pixel"}] * count
    body: dict[str, object] = {"created": now(), "data": data, "background": "opaque", "output_format": "png"}
    return Reply({**body, "quality": "low", "size": "1024x1024", "usage": _image_usage(job)})


def _image_events(job: Job, kind: str) -> Iterator[Event]:
    common = {"b64_json": PIXEL, "created_at": now(), "size": "1024x1024", "quality": "low"}
    common.update(background="opaque", output_format="png")
    for index in range(2):
        name = f"{kind}.partial_image"
        yield Event({"type": name, "partial_image_index": index, **common}, name)
    yield Event({"type": f"{kind}.completed", "usage": _image_usage(job), **common}, f"{kind}.completed")


def _tokens(job: Job) -> dict[str, object]:
    usage = job.usage
    return {"input_tokens": usage.input, "output_tokens": usage.output, "total_tokens": usage.total}


def _image_usage(job: Job) -> dict[str, object]:
    usage = job.usage
    details = {"image_tokens": usage.image_input, "text_tokens": usage.input - usage.image_input}
    return {**_tokens(job), "input_tokens_details": details}


def _audio_usage(job: Job) -> dict[str, object]:
    usage = job.usage
    details = {"audio_tokens": usage.audio_input, "text_tokens": usage.input - usage.audio_input}
    return {"type": "tokens", **_tokens(job), "input_token_details": details}


def speech(job: Job) -> Reply:
    """Audio as bytes, or as events where the client asks for `stream_format="sse"`."""
    if job.fields.get("stream_format") != "sse":
        return Reply(b"ID3" + bytes(1021), content_type="audio/mpeg")
    pieces = [Event({"type": "speech.audio.delta", "audio": "AAAA"}) for _ in range(3)]
    done = Event({"type": "speech.audio.done", "usage": _tokens(job)})
    return Reply(events=[*pieces, done], end=DONE, broken=BROKEN)


def transcription(job: Job) -> Reply:
    text = job.compose(Ask()).text
    if job.streams:
        return Reply(events=_transcript_events(job), end=DONE, broken=BROKEN)
    wanted = job.fields.get("response_format", "json")
    if wanted in ("text", "srt", "vtt"):
        return Reply(text + "\n", content_type="text/plain; charset=utf-8")
    by_time = wanted == "verbose_json" or job.model.startswith("whisper")
    body: dict[str, object] = {"text": text, "usage": {"type": "duration", "seconds": 3}}
    if wanted == "verbose_json":
        body.update(task="transcribe", language="english", duration=3.0, segments=[])
    return Reply(body if by_time else {"text": text, "usage": _audio_usage(job)})


def _transcript_events(job: Job) -> Iterator[Event]:
    answer = job.compose(Ask())
    for piece in answer.pieces:
        yield Event({"type": "transcript.text.delta", "delta": piece})
    yield Event({"type": "transcript.text.done", "text": answer.text, "usage": _audio_usage(job)})


def translation(job: Job) -> Reply:
    return Reply({"text": job.compose(Ask()).text})


def models(job: Job) -> Reply:
    one = {"id": job.model, "object": "model", "created": now(), "owned_by": "genai-otel"}
    name = job.request.route.rpartition("/models")[2].strip("/")
    return Reply({**one, "id": name} if name else {"object": "list", "data": [one]})
