"""The page in a real browser: from a file, without network, in light and dark, by keyboard, on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from genai_otel.cli import main
from tests.harness.browser import PROGRAM, Browser
from tests.report.test_safety import EVIL, everywhere
from tests.report.written import Json, chat, request, span, write

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: make test-browser installs Debian's"),
]

PAINTED = "getComputedStyle(document.querySelector(%r)).%s"
FIGURES = (
    "Object.fromEntries([...document.querySelectorAll('[data-figure]')]"
    ".map(each => [each.dataset.figure, each.textContent]))"
)
OVERFLOWING = (
    "[...document.querySelectorAll('.tiles li, .card')]"
    ".filter(each => each.scrollWidth > each.clientWidth).length"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as started:
        yield started


def day() -> list[Json]:
    """Twenty requests of an agent, one each hour, of which every fifth fails."""
    found: list[Json] = []
    for hour in range(20):
        outcome = "failed" if hour % 5 == 4 else "completed"
        said = {
            "gen_ai.usage.input_tokens": 1_000,
            "gen_ai.usage.output_tokens": 200,
            "gen_ai.response.time_to_first_chunk": 0.25,
            "genai_otel.cost.amount": 0.01,
            "genai_otel.cost.currency": "USD",
            "genai_otel.outcome": outcome,
        }
        at = hour * 3600
        agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "desk"}
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "look"}
        root = span("invoke_agent desk", at, 4 + hour, agent, trace=hour + 1, kind=1)
        found += [
            root,
            chat(at + 1, 2, said, parent=root),
            span("execute_tool look", at + 3, 1, tool, parent=root),
        ]
    return found


def drawn(tmp_path: Path, spans: list[Json]) -> str:
    source = write(tmp_path / "spans.jsonl", request(spans))
    assert main(["report", str(source), "-o", str(tmp_path / "page.html"), "--content"]) == 0
    return (tmp_path / "page.html").as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_from_a_file_says_its_figures_and_needs_nothing_else(
    tmp_path: Path, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    address = drawn(tmp_path, day())
    browser.open(address, scheme=scheme)
    assert browser.evaluate(FIGURES) == {
        "calls": "20",
        "good": "80.0%",
        "input": "20,000",
        "output": "4,000",
        "cost": "$0.200",
        "latency": "2.00 s",
        "first_chunk": "250 ms",
    }
    assert browser.evaluate("document.querySelectorAll('#time svg rect').length") == 20 + 40 + 20
    assert browser.evaluate("document.querySelectorAll('#slowest details').length") == 10
    assert (browser.complaints, browser.fetched) == ([], [address])
    ground, ink = (
        _light(browser.evaluate(PAINTED % ("body", name))) for name in ("backgroundColor", "color")
    )
    assert (ground > 0.9 and ink < 0.2) if scheme == "light" else (ground < 0.2 and ink > 0.8)


def _light(colour: str) -> float:
    """How light a colour is, 0 to 1."""
    parts = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    return sum(parts) / 3 / 255


def test_nothing_in_it_runs_whatever_spans_say(tmp_path: Path, browser: Browser) -> None:
    address = drawn(tmp_path, everywhere(EVIL))
    browser.open(address)
    assert browser.evaluate("document.scripts.length + document.images.length") == 0
    assert (browser.complaints, browser.fetched) == ([], [address])
    assert "alert(1)" in browser.evaluate("document.body.innerText")


def test_a_script_that_got_in_would_not_run(tmp_path: Path, browser: Browser) -> None:
    """The policy of the page is a second wall."""
    address = drawn(tmp_path, day())
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    (tmp_path / "page.html").write_text(text.replace("<main>", "<main><script>window.ran = 1</script>"))
    browser.open(address)
    assert browser.evaluate("window.ran") is None
    assert any("Content Security Policy" in each for each in browser.complaints)


def test_a_keyboard_reaches_the_sections_the_tables_and_the_traces(tmp_path: Path, browser: Browser) -> None:
    browser.open(drawn(tmp_path, day()))
    reached: list[Any] = []
    for _ in range(40):
        browser.press("Tab")
        reached.append(
            browser.evaluate("document.activeElement.tagName + '.' + document.activeElement.className")
        )
        if reached[-1] == "SUMMARY.":
            break
    assert reached[0] == "A.skip"
    assert "DIV.scroll" in reached
    assert reached[-1] == "SUMMARY."
    assert browser.evaluate("document.activeElement.parentElement.open") is True
    browser.press("Enter")
    assert browser.evaluate("document.activeElement.parentElement.open") is False


@pytest.mark.parametrize("width", [1280, 820, 390])
def test_only_tables_are_wider_than_the_screen(tmp_path: Path, browser: Browser, width: int) -> None:
    browser.open(drawn(tmp_path, day()), width=width)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(OVERFLOWING) == 0


def test_it_can_be_printed(tmp_path: Path, browser: Browser) -> None:
    browser.open(drawn(tmp_path, day()), scheme="dark", width=1030)  # A4 across, without its margins
    browser.send("Emulation.setEmulatedMedia", media="print")
    cut = (
        "[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth).length"
    )
    assert browser.evaluate(cut) == 0
    assert _light(browser.evaluate(PAINTED % ("body", "backgroundColor"))) == 1
    assert browser.evaluate(PAINTED % ("nav", "display")) == "none"
    browser.send("Emulation.setEmulatedMedia", media="")
