"""The live trace tree: what is printed, when, and that nothing about the output can hurt the program."""

from __future__ import annotations

import io
import os
import pty
import struct
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from fcntl import ioctl
from typing import TYPE_CHECKING

import pytest
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    format_trace_id,
    set_span_in_context,
)

from genai_otel import fence
from genai_otel.console import ConsoleView
from genai_otel.console.facts import duration, money
from genai_otel.console.terminal import Piece, Terminal, clean, clip, columns

if TYPE_CHECKING:
    from opentelemetry.util.types import AttributeValue

EPOCH = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
CHAT: Mapping[str, AttributeValue] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 1241,
    "gen_ai.usage.output_tokens": 34,
    "genai_otel.outcome": "completed",
    "gen_ai.response.finish_reasons": ("stop",),
}


class Desk:
    """Spans with fixed times, ended into a view."""

    def __init__(self, view: ConsoleView) -> None:
        self.view = view
        provider = TracerProvider(resource=Resource({"service.name": "shop"}), shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(view))
        self._ends: dict[Span, int] = {}
        self._tracer = provider.get_tracer("tests")

    def span(
        self,
        name: str,
        parent: Span | SpanContext | None = None,
        *,
        at: tuple[float, float] = (0.0, 1.0),
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, AttributeValue] | None = None,
    ) -> Span:
        if isinstance(parent, SpanContext):
            context = set_span_in_context(NonRecordingSpan(parent), Context())
        else:
            context = set_span_in_context(parent, Context()) if parent else Context()
        span = self._tracer.start_span(name, context, kind, start_time=EPOCH + int(at[0] * SECOND))
        assert isinstance(span, Span)
        span.set_attributes(attributes or {})
        self._ends[span] = EPOCH + int(at[1] * SECOND)
        return span

    def end(self, *spans: Span) -> None:
        for span in spans:
            span.end(self._ends[span])


class Screen:
    """A real pseudo-terminal of a given width."""

    def __init__(self, width: int) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
        self.stream = open(slave, "w", encoding="utf-8")  # noqa: SIM115 - closed by close()

    def text(self) -> str:
        return os.read(self._master, 1 << 16).decode().replace("\r\n", "\n")

    def close(self) -> None:
        self.stream.close()
        os.close(self._master)


@pytest.fixture
def plain() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def desk(plain: io.StringIO) -> Desk:
    return Desk(ConsoleView(plain))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], Screen]]:
    for name in ("NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    opened: list[Screen] = []

    def open_screen(width: int) -> Screen:
        opened.append(Screen(width))
        return opened[-1]

    yield open_screen
    for each in opened:
        each.close()


def agent_trace(desk: Desk) -> str:
    """An agent's request with two model calls; returns the trace id."""
    root = desk.span(
        "POST /agent", at=(0, 1.84), kind=SpanKind.SERVER, attributes={"http.response.status_code": 200}
    )
    first = desk.span("chat gpt-4o-mini", root, at=(0.01, 0.83), kind=SpanKind.CLIENT, attributes=CHAT)
    http = desk.span(
        "POST", first, at=(0.02, 0.82), kind=SpanKind.CLIENT, attributes={"http.response.status_code": 200}
    )
    tool = desk.span("execute_tool weather", root, at=(0.84, 0.86))
    second = desk.span(
        "chat gpt-4o-mini",
        root,
        at=(0.87, 1.83),
        kind=SpanKind.CLIENT,
        attributes={
            **CHAT,
            "gen_ai.request.stream": True,
            "gen_ai.response.time_to_first_chunk": 0.118,
            "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
            "gen_ai.usage.cache_read.input_tokens": 1024,
            "gen_ai.usage.reasoning.output_tokens": 12,
            "genai_otel.cost.amount": 0.000123,
            "genai_otel.cost.currency": "USD",
        },
    )
    foreign = desk.span("openai.chat", second, at=(0.88, 1.82), attributes={"genai_otel.owner": False})
    desk.end(http, first, tool, foreign, second, root)
    return format_trace_id(root.get_span_context().trace_id)


def test_prints_a_trace_as_one_plain_tree_once_its_root_has_ended(desk: Desk, plain: io.StringIO) -> None:
    trace_id = agent_trace(desk)

    assert plain.getvalue() == (
        f"trace {trace_id}  shop  6 spans  1.84 s\n"
        "POST /agent server           1.84 s  200\n"
        "|- chat gpt-4o-mini client   820 ms  completed (stop)  1,241 -> 34 tokens\n"
        "|  `- POST client            800 ms  200\n"
        "|- execute_tool weather     20.0 ms\n"
        "`- chat gpt-4o-mini client   960 ms  completed (stop)  1,241 -> 34 tokens (1,024 cached, 12 reasoning)"
        "  first chunk 118 ms  gpt-4o-mini-2024-07-18  $0.000123\n"
        "   `- openai.chat            940 ms  not counted\n"
    )


@pytest.mark.parametrize(
    ("currency", "last"), [("EUR", "1.50 EUR"), ("USD", "$1.50"), (None, "gpt-4o-mini"), (3, "gpt-4o-mini")]
)
def test_a_cost_is_shown_in_its_own_currency(
    desk: Desk, plain: io.StringIO, currency: str | int | None, last: str
) -> None:
    cost: dict[str, AttributeValue] = {"genai_otel.cost.amount": 1.5}
    if currency is not None:
        cost["genai_otel.cost.currency"] = currency
    desk.end(desk.span("chat", attributes={**CHAT, **cost}))
    assert plain.getvalue().rstrip().split("  ")[-1] == last


def test_waits_for_the_root(desk: Desk, plain: io.StringIO) -> None:
    root = desk.span("root")
    desk.end(desk.span("child", root))
    assert desk.view.force_flush()
    assert plain.getvalue() == ""
    desk.end(root)
    assert plain.getvalue().count("child") == 1


def test_a_span_with_a_remote_parent_is_a_root(desk: Desk, plain: io.StringIO) -> None:
    upstream = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    desk.end(desk.span("GET /", upstream))
    assert plain.getvalue().startswith(f"trace {7:032x}  shop  1 span")


def test_two_local_roots_of_one_trace_print_their_own_spans_only(desk: Desk, plain: io.StringIO) -> None:
    upstream = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    one, two = desk.span("GET /one", upstream), desk.span("GET /two", upstream)
    desk.end(desk.span("under one", one), desk.span("under two", two), one)
    assert "under one" in plain.getvalue()
    assert "two" not in plain.getvalue()


def test_what_ends_after_its_root_continues_the_trace_as_a_small_tree(desk: Desk, plain: io.StringIO) -> None:
    root = desk.span("GET /stream")
    stream = desk.span("chat m", root, at=(0.5, 3), attributes={"genai_otel.outcome": "abandoned"})
    http = desk.span("POST", stream)
    desk.end(root, http, stream)
    first, later = plain.getvalue().split("trace ")[1:]
    assert "chat m" not in first
    assert later.startswith(f"{format_trace_id(root.get_span_context().trace_id)}  continued  shop  2 spans")
    assert "chat m    2.50 s  abandoned\n`- POST" in later


def test_open_traces_are_bounded_and_the_oldest_prints_as_partial(plain: io.StringIO) -> None:
    desk = Desk(ConsoleView(plain, open_traces=3))
    roots = [desk.span(f"root {number}") for number in range(5)]
    desk.end(*[desk.span(f"child {number}", root) for number, root in enumerate(roots)])
    assert plain.getvalue().count("partial") == 2
    assert "child 0" in plain.getvalue()
    assert "child 1" in plain.getvalue()
    assert "child 2" not in plain.getvalue()


def test_spans_that_wait_are_bounded(desk: Desk, plain: io.StringIO) -> None:
    root = desk.span("root")
    for _ in range(5_000):
        desk.end(desk.span("child", root))
    assert plain.getvalue().count("child") >= 3_000
    desk.end(root)
    assert plain.getvalue().count("child") == 5_000


def test_shutdown_prints_what_waits(desk: Desk, plain: io.StringIO) -> None:
    desk.end(desk.span("child", desk.span("root that never ends")))
    desk.view.shutdown()
    assert "partial" in plain.getvalue()
    assert "child" in plain.getvalue()


def test_a_parent_that_never_comes_does_not_hide_its_children_for_good(
    desk: Desk, plain: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = SpanContext(7, 8, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    desk.end(desk.span("child of a dropped span", dropped))
    monkeypatch.setattr("genai_otel.console.view._QUIET_SECONDS", -1.0)
    desk.end(desk.span("another trace"))
    assert "child of a dropped span" in plain.getvalue()


def test_a_deep_trace_needs_no_recursion_and_stays_readable(desk: Desk, plain: io.StringIO) -> None:
    spans = [desk.span("0")]
    for number in range(1, 1_500):
        spans.append(desk.span(str(number), spans[-1]))
    desk.end(*reversed(spans))
    lines = plain.getvalue().splitlines()
    assert len(lines) == 1_501
    assert max(map(len, lines)) < 200


def test_threads_never_interleave_their_trees(desk: Desk, plain: io.StringIO) -> None:
    def work() -> None:
        for _ in range(25):
            root = desk.span("root")
            desk.end(desk.span("child", root), root)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    trees = plain.getvalue().split("trace ")[1:]
    assert len(trees) == 200
    assert all(tree.count("root") == tree.count("child") == 1 for tree in trees)


class Stuck(io.StringIO):
    """A terminal that somebody has paused."""

    def __init__(self) -> None:
        super().__init__()
        self.reached, self.resumed = threading.Event(), threading.Event()

    def write(self, text: str) -> int:
        self.reached.set()
        assert self.resumed.wait(10)
        return super().write(text)


def test_a_stuck_terminal_holds_up_one_thread_and_a_bounded_number_of_spans() -> None:
    stuck = Stuck()
    desk = Desk(ConsoleView(stuck))
    printing = threading.Thread(target=lambda: desk.end(desk.span("first")))
    printing.start()
    assert stuck.reached.wait(10)
    before = fence.drops().get(("spans", "console_stuck"), 0)
    for _ in range(2_500):
        desk.end(desk.span("root"))  # would wait for ever if it waited for the terminal
    assert fence.drops()["spans", "console_stuck"] == before + 500
    stuck.resumed.set()
    printing.join(10)
    assert stuck.getvalue().count("root") == 2_000


class Reentrant(io.StringIO):
    """Ends a span while it is being written to, as a finalizer or a signal handler may."""

    desk: Desk | None = None

    def write(self, text: str) -> int:
        desk, self.desk = self.desk, None
        if desk:
            desk.end(desk.span("from a finalizer"))
        return super().write(text)


def test_a_span_that_ends_while_this_thread_prints_is_printed_next() -> None:
    stream = Reentrant()
    desk = stream.desk = Desk(ConsoleView(stream))
    desk.end(desk.span("root"))
    assert stream.getvalue().index("root") < stream.getvalue().index("from a finalizer")


def test_an_error_shows_its_type_and_the_word_of_the_status(desk: Desk, plain: io.StringIO) -> None:
    span = desk.span("chat m", attributes={"genai_otel.outcome": "failed", "error.type": "429"})
    span.set_attribute("http.response.status_code", 429)
    span.set_status(Status(StatusCode.ERROR, "slow\ndown"))
    desk.end(span)
    assert "failed 429 slow down\n" in plain.getvalue()


@pytest.mark.parametrize("outcome", ["closed", "abandoned", "cancelled", "cut"])
def test_every_outcome_is_named(desk: Desk, plain: io.StringIO, outcome: str) -> None:
    desk.end(desk.span("chat m", attributes={"genai_otel.outcome": outcome}))
    assert f"  {outcome}\n" in plain.getvalue()


def test_usage_that_was_not_reported_is_not_shown(desk: Desk, plain: io.StringIO) -> None:
    desk.end(desk.span("chat m", attributes={"gen_ai.operation.name": "chat"}))
    desk.end(
        desk.span(
            "embeddings m", attributes={"gen_ai.operation.name": "embeddings", "gen_ai.usage.input_tokens": 8}
        )
    )
    assert plain.getvalue().count("token") == 1
    assert "8 tokens in" in plain.getvalue()


def test_nothing_in_a_span_can_control_the_terminal(desk: Desk, plain: io.StringIO) -> None:
    evil = "a\x1b[2J\x07\r\n\u202eb\x9bc\ud800"
    desk.end(
        desk.span(evil, attributes={**CHAT, "gen_ai.response.model": evil, "gen_ai.input.messages": evil})
    )
    assert all(character.isprintable() or character == "\n" for character in plain.getvalue())
    assert len(plain.getvalue().splitlines()) == 3


def test_content_shows_as_one_line_only_when_it_is_on_the_span(desk: Desk, plain: io.StringIO) -> None:
    messages = '[{"role":"user","parts":[{"type":"text","content":"%s"}]}]' % ("What\\nis up? " * 90)
    desk.end(desk.span("chat m", attributes={**CHAT, "gen_ai.input.messages": messages}))
    (line,) = [line for line in plain.getvalue().splitlines() if "in: " in line]
    assert line.startswith("   in: What is up? What")
    assert len(line) < 420
    desk.end(desk.span("chat m", attributes=CHAT))
    assert plain.getvalue().count("in: ") == 1


def test_a_terminal_gets_colour_and_box_drawing(screen: Callable[[int], Screen]) -> None:
    shown = screen(120)
    agent_trace(Desk(ConsoleView(shown.stream)))
    text = shown.text()
    assert "├─ " in text
    assert "1,241 → 34 tokens" in text
    assert "\x1b[1;36mchat gpt-4o-mini\x1b[0m" in text
    assert "\x1b[32mcompleted\x1b[0m" in text


def test_no_color_is_honoured(screen: Callable[[int], Screen], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = screen(120)
    agent_trace(Desk(ConsoleView(shown.stream)))
    text = shown.text()
    assert "\x1b" not in text
    assert "├─ " in text


def test_a_dumb_terminal_gets_plain_ascii(
    screen: Callable[[int], Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    shown = screen(120)
    agent_trace(Desk(ConsoleView(shown.stream)))
    assert shown.text().isascii()


@pytest.mark.parametrize("width", [40, 72, 100, 160])
def test_no_line_is_wider_than_the_terminal(
    screen: Callable[[int], Screen], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shown = screen(width)
    desk = Desk(ConsoleView(shown.stream))
    agent_trace(desk)
    desk.end(
        desk.span(
            "chat 日本語の長い名前を持つモデル" * 3,
            attributes={**CHAT, "gen_ai.output.messages": "東京" * 200},
        )
    )
    lines = shown.text().splitlines()
    assert len(lines) > 8
    assert max(columns(line) for line in lines) <= width
    assert any("$0.000123" in line for line in lines), (
        "a narrow terminal wraps the facts, it does not lose them"
    )


def test_a_stream_that_cannot_encode_gets_escapes(desk: Desk) -> None:
    raw = io.BytesIO()
    desk = Desk(ConsoleView(io.TextIOWrapper(raw, encoding="ascii")))
    desk.end(desk.span("日本"))
    assert b"\\u65e5\\u672c" in raw.getvalue()


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [Broken, closed])
def test_a_stream_that_fails_is_counted_and_never_raises(
    stream: Callable[[], io.StringIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "strict", False)
    before = fence.errors().get("console", 0)
    view = ConsoleView(stream())
    desk = Desk(view)
    span = desk.span("root")
    desk.end(span)
    assert fence.errors()["console"] == before + 1
    assert view.export([span]) is SpanExportResult.FAILURE
    view.shutdown()


def test_without_standard_error_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    view = ConsoleView()
    desk = Desk(view)
    span = desk.span("root")
    desk.end(span)
    assert view.export([span]) is SpanExportResult.SUCCESS


def test_standard_error_is_looked_up_when_printing(capsys: pytest.CaptureFixture[str]) -> None:
    desk = Desk(ConsoleView())
    replaced = io.StringIO()
    saved, sys.stderr = sys.stderr, replaced
    try:
        desk.end(desk.span("root"))
    finally:
        sys.stderr = saved
    assert "root" in replaced.getvalue()
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_prints_though_a_thread_of_the_parent_was_printing(
    desk: Desk, plain: io.StringIO
) -> None:
    desk.end(desk.span("waits in the parent", desk.span("root")))
    with desk.view._printing:  # pyright: ignore[reportPrivateUsage] - what a thread would hold at the fork
        child = os.fork()
        if child == 0:
            desk.end(desk.span("in the child"))
            desk.view.shutdown()
            text = plain.getvalue()
            os._exit(0 if "in the child" in text and "waits" not in text else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00042, "0.42 ms"),
        (0.0123, "12.3 ms"),
        (0.1, "100 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.00 s"),
        (12.34, "12.3 s"),
        (59.96, "1 m 00 s"),
        (123.4, "2 m 03 s"),
        (3599.6, "1 h 00 m"),
        (2 * 86_400 - 60, "47 h 59 m"),
        (21.2 * 86_400, "21 d 4 h"),
        (-1, "0.00 ms"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (0.000123, "USD", "$0.000123"),
        (1.5, "EUR", "1.50 EUR"),
        (0, "USD", "$0.00"),
        (1234.5, "USD", "$1,234.50"),
    ],
)
def test_amounts_read_well(amount: float, currency: str, text: str) -> None:
    assert money(amount, currency) == text


def test_clipping_counts_columns() -> None:
    assert clip("日本語", 5) == "日..."
    assert columns(clip("日本語", 5)) <= 5
    assert clean("x" * 1000, 10) == "x" * 10 + "..."


def test_a_line_is_cut_where_the_screen_ends() -> None:
    pieces: Sequence[Piece] = [Piece("abc"), Piece("defgh", "red"), Piece("never seen")]
    assert Terminal(colour=True, width=7).line(pieces) == "abc\x1b[31md...\x1b[0m"
