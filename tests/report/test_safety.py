"""What was said stays out unless it is asked for, and nothing that a span says becomes markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from genai_otel.report.html import Html, block, tag
from tests.report.written import Json, chat, page_of, request, span, write

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)> \u202e\x1b[31m </style><style>'
CANARY = "canary-4711"
CONTENT = {
    "gen_ai.input.messages": f'[{{"role": "user", "parts": [{{"type": "text", "content": "{CANARY} <b>"}}]}}]',
    "gen_ai.output.messages": f"not JSON {CANARY}",
    "gen_ai.system_instructions": CANARY,
}


def everywhere(text: str) -> list[Json]:
    """Spans that have a text wherever there is place for one."""
    root = span(text, 0, 9, {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": text})
    names = ("gen_ai.request.model", "gen_ai.response.model", "gen_ai.provider.name", "error.type")
    failed = chat(0, 1, dict.fromkeys(names, text) | {"genai_otel.outcome": "failed"}, parent=root)
    odd = chat(2, 1, {"genai_otel.outcome": text, "gen_ai.response.finish_reasons": (text,)}, parent=root)
    priced = chat(3, 1, {"genai_otel.cost.amount": 1.0, "genai_otel.cost.currency": text}, parent=root)
    tool = span(text, 4, 1, {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": text}, parent=root)
    said = {"gen_ai.evaluation.name": text, "gen_ai.evaluation.score.label": text}
    result = [{"key": key, "value": {"stringValue": value}} for key, value in said.items()]
    tool["events"] = [{"name": "gen_ai.evaluation.result", "attributes": result}]
    return [root, failed, odd, priced, tool]


def test_nothing_that_a_span_says_becomes_markup(tmp_path: Path) -> None:
    plain, evil = (
        page_of(
            write(tmp_path / f"{name}.jsonl", request(everywhere(text), service=text)),
            "--title",
            text,
            "--content",
        )
        for name, text in (("plain", "x"), ("evil", EVIL))
    )
    assert evil.tags == plain.tags
    assert "<script>alert(1)</script>" in evil.text
    assert not re.search(r"[\x00-\x08\x1b\u202e]", evil.text)


def test_the_page_forbids_what_it_does_not_need(tmp_path: Path) -> None:
    source = write(tmp_path / "spans.jsonl", request([chat(0, 1)]))
    page_of(source)
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;" in text
    assert not re.search(r"<script|<link|<img|<iframe|@import|@font-face|url\(|\ssrc=|https?://", text)
    assert not re.search(r"\son[a-z]+=", text)


@pytest.mark.parametrize("options", [(), ("--content",)], ids=["without", "asked for"])
def test_content_shows_only_if_it_is_asked_for(tmp_path: Path, options: tuple[str, ...]) -> None:
    call = chat(0, 2, {**CONTENT, "genai_otel.outcome": "failed"})
    call["status"] = {"code": 2, "message": f"the model said {CANARY}"}
    tool = span(
        "execute_tool find",
        2,
        1,
        {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "find",
            "gen_ai.tool.call.arguments": CANARY,
        },
    )
    foreign = span(
        "ChatOpenAI",
        0,
        1,
        {"llm.request.type": "chat", "gen_ai.prompt.0.content": CANARY, **CONTENT},
        trace=2,
    )
    source = write(tmp_path / "spans.jsonl", request([call, tool]), request([foreign], scope="traceloop"))
    page = page_of(source, *options)
    if options:
        assert page.text.count(CANARY) == 8
        assert f"{CANARY} <b>" in page.text
    else:
        assert CANARY not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_lone_surrogates_can_be_written(tmp_path: Path) -> None:
    source = tmp_path / "spans.jsonl"
    write(source, request([span("a\ud800b", 0, 1), chat(0, 1, {"gen_ai.request.model": "\udfff"})]))
    assert page_of(source).figures["calls"] == 1


def test_markup_is_escaped_once_and_lines_of_a_block_are_kept() -> None:
    inner = tag("b", "<&>", title='"')
    assert inner == '<b title="&quot;">&lt;&amp;&gt;</b>'
    assert tag("p", inner, None, ["x", Html("<br>")], hidden=True, lang=None) == f"<p hidden>{inner}x<br></p>"
    assert block("a\n\t<b>\x1b") == "a\n\t&lt;b&gt;?"


def test_what_is_wrong_with_a_line_is_said_without_its_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = chat(0, 1, trace=2)
    call["attributes"].append({"key": "gen_ai.usage.input_tokens", "value": {"intValue": CANARY}})
    page = page_of(write(tmp_path / "spans.jsonl", request([chat(0, 1)]), request([call])))
    assert page.figures["calls"] == 1
    assert "spans.jsonl:2: no OTLP: ValueError" in page.text
    assert CANARY not in page.text + capsys.readouterr().err
