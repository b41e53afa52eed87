"""A running Jaeger as a source, and incidents by the history of Prometheus' alerts."""

from __future__ import annotations

from pathlib import Path

import pytest

from genai_otel.cli import main
from genai_otel.report.incidents import history
from genai_otel.report.jaeger import traces
from genai_otel.report.report import Window
from genai_otel.report.sources import Reading
from tests.report.servers import Answering, Jaeger, Prometheus, trace
from tests.report.written import EPOCH, Json, Page, chat, page_of, pairs, request, span, write

PERIOD = ("--since", "2027-01-15T08:00:00", "--until", "2027-01-15T12:00:00+00:00")
SAID = {
    "gen_ai.usage.input_tokens": 10,
    "gen_ai.response.finish_reasons": ("stop",),
    "genai_otel.cost.amount": 0.5,
}


def spans() -> list[Json]:
    """Two traces that the same spans in a file tell as much of."""
    root = span("POST /ask", 0, 3, kind=2)
    call = chat(1, 1, SAID, parent=root)
    failed = chat(60, 2, {"genai_otel.outcome": "failed", "error.type": "APITimeoutError"}, trace=2)
    rated = pairs({"gen_ai.evaluation.name": "user_feedback", "gen_ai.evaluation.score.value": 4.0})
    failed["events"] = [
        {"name": "gen_ai.evaluation.result", "timeUnixNano": str(EPOCH * 10**9), "attributes": rated}
    ]
    return [root, call, failed]


def asked(folder: Path, server: Answering, *options: str) -> Page:
    output = folder / "page.html"
    assert main(["report", server.url, "-o", str(output), *PERIOD, *options]) == 0
    return Page(output.read_text(encoding="utf-8"))


def test_a_jaeger_tells_what_a_file_tells(tmp_path: Path) -> None:
    file = page_of(write(tmp_path / "spans.jsonl", request(spans())))
    with Jaeger(shop=spans()) as server:
        found = asked(tmp_path, server)
    assert found.figures == file.figures
    for table in ("models", "outcomes", "errors", "reasons", "evaluations"):
        assert found.tables[table] == file.tables[table], table


def test_an_answer_of_jaeger_can_be_saved_and_read_later(tmp_path: Path) -> None:
    saved = {"data": [trace(f"{1:032x}", [("shop", each) for each in spans()[:2]])]}
    assert page_of(write(tmp_path / "traces.json", saved)).figures["input"] == 10


def test_a_trace_of_two_services_counts_once_and_others_are_read_by_name(tmp_path: Path) -> None:
    call = chat(0, 1)
    served = span("GET /", 0.1, 0.5, parent=call)
    with Jaeger(shop=[call], stock=[served], else_where=[chat(9, 1, trace=7)]) as server:
        assert asked(tmp_path, server).figures["calls"] == 2
        assert asked(tmp_path, server, "--service", "shop").figures["calls"] == 1
        assert {each.get("service") for each in server.asked[-1:]} == {"shop"}


def test_a_full_answer_is_asked_for_in_halves_until_nothing_is_missed() -> None:
    calls = [chat(second, 1, trace=second + 1) for second in range(64)]
    with Jaeger(shop=calls) as server:
        window, reading = Window(EPOCH, EPOCH + 64.0), Reading()
        found = list(traces(server.url, window, reading, content=False, limit=10))
    assert len(found) == 64
    assert reading.done == reading.total == 64_000_000


def test_spans_of_others_in_a_jaeger_are_translated(tmp_path: Path) -> None:
    said = {"gen_ai.system": "openai", "llm.request.type": "chat", "gen_ai.usage.prompt_tokens": 9}
    outer = span("openai.chat", 1, 1, said) | {"scope": "opentelemetry.instrumentation.openai"}
    with Jaeger(shop=[outer]) as server:
        page = asked(tmp_path, server)
    assert (page.figures["calls"], page.figures["input"]) == (1, 9)


BROKEN = {
    "an error": (
        b'{"errors": [{"code": 500, "msg": "the disk is full"}]}',
        500,
        "with 500: the disk is full",
    ),
    "a login page": (b"<html>", 200, "something else than JSON"),
    "a list": (b"[]", 200, "something else than an object"),
    "nothing": (b'{"data": null}', 200, "knows no services"),
}


@pytest.mark.parametrize(("body", "status", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_jaeger_is_said_in_one_sentence(
    capsys: pytest.CaptureFixture[str], body: bytes, status: int, reason: str
) -> None:
    with Jaeger() as server:
        server.broken = (body, status)
        assert main(["report", server.url]) == 1
    said = capsys.readouterr().err
    assert reason in said
    assert said.count("\n") == 1


def test_nobody_there_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with Jaeger() as server:
        address = server.url
    assert main(["report", address]) == 1
    assert "cannot be reached: " in capsys.readouterr().err
    assert main(["report", address, "file.jsonl"]) == 1
    assert "is read alone" in capsys.readouterr().err


def test_incidents_are_what_fired_and_their_means_are_right() -> None:
    hour = 3600
    firing = {
        ("Slow", "page"): [(EPOCH + hour, EPOCH + hour + 600), (EPOCH + 3 * hour, EPOCH + 3 * hour + 1200)],
        ("Errors", "page"): [(EPOCH + hour + 300, EPOCH + hour + 900)],
        ("Budget", "ticket"): [(EPOCH - hour, EPOCH + 300), (EPOCH + 9 * hour + 1800, EPOCH + 20 * hour)],
    }
    with Prometheus(firing) as server:
        found = history(server.url, EPOCH, EPOCH + 10 * hour, '{severity!="info"}')
    assert server.asked[0]["query"] == 'ALERTS{alertstate="firing",severity!="info"}'
    slow, errors, budget = (found.by_alert[key] for key in firing)
    assert (slow.count, slow.mttr) == (2, pytest.approx(900, abs=found.step))
    assert slow.mtbf == pytest.approx((10 * hour - 1800) / 2, abs=found.step)
    assert errors.mttr == pytest.approx(600, abs=found.step)
    # It began before and goes on: how long it takes to end is not known.
    assert (budget.count, budget.mttr) == (2, None)
    assert budget.down == pytest.approx(300 + 1800, abs=found.step)
    # Slow and Errors overlap from 1:05 to 1:10: one incident of 15 minutes, and one of 20.
    assert found.all.count == 4
    assert found.all.mttr == pytest.approx((900 + 1200) / 2, abs=found.step)
    assert found.all.quiet_share == pytest.approx(1 - (300 + 900 + 1200 + 1800) / (10 * hour), abs=0.01)


def test_a_quiet_week_has_no_incidents_and_a_page_says_so(tmp_path: Path) -> None:
    source = write(tmp_path / "spans.jsonl", request([chat(0, 1)]))
    with Prometheus({}) as server:
        page = page_of(source, "--prometheus", server.url, *PERIOD)
        assert (server.asked[0]["start"], server.asked[0]["end"]) == (
            f"{EPOCH}.000",
            f"{EPOCH + 4 * 3600}.000",
        )
    assert list(page.row("incidents", "all alerts together").values())[1:6] == [
        "0",
        "\u2013",
        "\u2013",
        "0 s",
        "100%",
    ]


def test_a_prometheus_that_refuses_is_said_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = str(write(tmp_path / "spans.jsonl", request([chat(0, 1)])))
    with Prometheus({}) as server:
        server.broken = (b'{"status": "error", "errorType": "bad_data", "error": "parse error"}', 400)
        assert main(["report", source, "--prometheus", server.url]) == 1
        assert "answered /api/v1/query_range with 400: parse error" in capsys.readouterr().err
        server.broken = (b'{"status": "success", "data": {"result": [1]}}', 200)
        assert main(["report", source, "--prometheus", server.url]) == 1
        assert "something else than series" in capsys.readouterr().err
    assert main(["report", source, "--prometheus", "localhost:9090"]) == 1
    assert "is no address of a Prometheus" in capsys.readouterr().err


def week() -> list[Json]:
    """A hundred calls: one fails, six are slow, half have a first chunk, all cost a cent."""
    found: list[Json] = []
    for number in range(100):
        said: dict[str, object] = {"genai_otel.cost.amount": 0.01, "genai_otel.cost.currency": "USD"}
        if number == 0:
            said |= {"genai_otel.outcome": "failed", "error.type": "RateLimitError"}
        if number % 2:
            said["gen_ai.response.time_to_first_chunk"] = 0.5
        found.append(chat(number * 60, 12 if number >= 94 else 2, said, trace=number + 1))
    return found


OBJECTIVES = {
    "success=99.5": ("99.5%", "99.0%", "missed", "200%"),
    "success=98%": ("98.0%", "99.0%", "met", "50%"),
    "latency-p95=10s": ("10.0 s", "12.0 s", "missed", "120%"),
    "latency-p90=10s": ("10.0 s", "2.00 s", "met", "60%"),
    "first-chunk-p99=800ms": ("800 ms", "500 ms", "met", "0%"),
    "cost=2": ("$2.00", "$1.00", "met", "50%"),
    "cost-per-call=0.005": ("$0.00500", "$0.0100", "missed", "200%"),
    "score-groundedness=0.8": ("0.8", "\u2013", "unknown", "\u2013"),
    "share-hallucination:fail=5": ("5.0%", "\u2013", "unknown", "\u2013"),
}


@pytest.mark.parametrize(("text", "expected"), OBJECTIVES.items(), ids=OBJECTIVES)
def test_objectives_are_met_or_missed(tmp_path: Path, text: str, expected: tuple[str, ...]) -> None:
    page = page_of(write(tmp_path / "spans.jsonl", request(week())), "--slo", text)
    row = page.row("objectives", text.partition("=")[0])
    assert tuple(row.values())[1:] == expected


WRONG = {
    "--slo uptime=99": "success=99.5 (percent)",
    "--slo success=120": "is more than 100 percent",
    "--slo success=most": "is no number",
    "--slo share-tone=5": "share-NAME:LABEL=5 (percent of its results, at most)",
    "--slo share-tone:bad=101": "is more than 100 percent",
    "--slo cost=-1": "can be no objective",
    "--slo latency-p95=10": "is no length of time",
    "--since yesterday": "is no moment",
    "--last week": "is no length of time",
}


@pytest.mark.parametrize(("options", "reason"), WRONG.items(), ids=WRONG)
def test_wrong_options_are_named(capsys: pytest.CaptureFixture[str], options: str, reason: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["report", "spans.jsonl", *options.split()])
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_only_traces_that_start_in_the_period_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = [chat(hours * 3600, 1, trace=hours + 1) for hours in range(6)]
    source = write(tmp_path / "spans.jsonl", request(calls))
    assert page_of(source, *PERIOD).figures["calls"] == 4
    until = ("--until", "2027-01-15T12:00:00")
    assert page_of(source, *until, "--last", "90m").figures["calls"] == 1
    assert main(["report", str(source), "--last", "1h"]) == 1
    assert "in this window" in capsys.readouterr().err
    assert main(["report", str(source), *until, "--since", "2028-01-01"]) == 1
    assert "ends before it begins" in capsys.readouterr().err
    assert main(["report", str(source), *PERIOD, "--last", "1h"]) == 1
    assert "give one of them" in capsys.readouterr().err
