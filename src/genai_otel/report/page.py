"""One page that needs nothing else: no script, no font, no image from anywhere, and a policy that forbids them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from genai_otel.report import calls, program, words
from genai_otel.report.asking import is_url
from genai_otel.report.frame import section
from genai_otel.report.headline import headline
from genai_otel.report.html import Html, chips, tag
from genai_otel.report.incidents import History
from genai_otel.report.objective import Objective
from genai_otel.report.over_time import over_time
from genai_otel.report.report import Report
from genai_otel.report.sources import Reading
from genai_otel.report.summary import summary
from genai_otel.report.weekly import weekly
from genai_otel.version import __version__

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_TITLES: Final = {
    "weekly": "Objectives and incidents",
    "time": "Time",
    "models": "Models",
    "by": "By attribute",
    "steps": "Steps",
    "caches": "Caches",
    "latency": "Latency",
    "outcomes": "Outcomes",
    "agents": "Agents",
    "evaluations": "Quality",
    "slowest": "Slowest traces",
    "read": "What was read",
}


class Asked(NamedTuple):
    """What the page is to be beside the figures.  ``made`` is the time of its making, in seconds since the epoch."""

    title: str
    made: float
    content: bool = False
    objectives: Sequence[Objective] = ()
    history: History | None = None


def page(report: Report, reading: Reading, asked: Asked) -> str:
    """The whole document."""
    title = asked.title
    parts = {
        "weekly": weekly(report, asked.objectives, asked.history),
        "time": over_time(report),
        "models": calls.models(report),
        "by": calls.by(report),
        "steps": program.steps(report),
        "caches": program.caches(report),
        "latency": calls.latency(report),
        "outcomes": calls.outcomes(report),
        "agents": program.agents(report),
        "evaluations": program.evaluations(report),
        "slowest": program.slowest(report, content=asked.content),
        "read": _read(report, reading),
    }
    shown = {name: part for name, part in parts.items() if part is not None}
    body = tag(
        "body",
        tag("a", "Skip to the figures", href="#headline", class_="skip"),
        _header(report, title),
        tag("nav", [tag("a", _TITLES[name], href=f"#{name}") for name in shown], aria_label="Sections"),
        tag("main", summary(report, asked.objectives, asked.history), headline(report), shown.values()),
        tag(
            "footer",
            f"Made by genai-otel {__version__} at {words.minute(asked.made)} UTC. Needs no network, runs no script.",
        ),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Html(files("genai_otel.report").joinpath("style.css").read_text(encoding="utf-8"))),
    )
    return "<!DOCTYPE html>\n" + tag("html", head, body, lang="en") + "\n"


def _header(report: Report, title: str) -> Html:
    period = (
        f"{words.second(report.start)} to {words.second(report.end)} UTC"
        if report.totals.calls
        else "no model calls"
    )
    named = [name or "unnamed service" for name, _ in report.services.most_common(8)]
    more = len(report.services) - len(named)
    return tag(
        "header",
        tag("h1", title),
        tag("p", period, data_period=True),
        tag(
            "p",
            chips(named),
            f"and {more} more" if more > 0 else None,
        ),
    )


def _read(report: Report, reading: Reading) -> Html:
    facts = [
        ("from", ", ".join(map(_shown, reading.names[:8])) + (" ..." if len(reading.names) > 8 else "")),
        ("spans", words.number(report.spans)),
        ("calls that count", f"{words.number(report.totals.calls)}, each by the one span that owns it"),
        ("not counted", f"{words.counted(report.uncounted, 'span')} of calls that another span counts"),
        ("cost", "as the spans say it, or prices of your own; a call without is unpriced, and in no sum"),
        ("usage", "as the vendors report it; what they do not is unknown, and in no sum"),
    ]
    if reading.malformed:
        facts.append(("malformed", f"{words.counted(reading.malformed, 'line')} passed over"))
    if report.split:
        facts.append(
            ("in parts", f"{words.counted(report.split, 'part')} of traces came late, and counted alone")
        )
    listed = [(tag("dt", name), tag("dd", text)) for name, text in facts]
    lines = [tag("li", tag("code", str(each._replace(name=_shown(each.name))))) for each in reading.named]
    return section("read", "What was read", tag("dl", listed), tag("ul", lines) if lines else None)


def _shown(name: str) -> str:
    """A page is passed on: where its maker keeps files is nobody's business, nor by which name he logs in."""
    if is_url(name):
        return urlsplit(name)._replace(netloc=name.split("/")[2].rpartition("@")[2]).geturl()
    return re.split(r"[/\\]", name)[-1]
