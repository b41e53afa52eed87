"""What the environment says: settings, unknown names, content, and values that must not be shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping

from genai_otel.cli.finding import Finding
from genai_otel.config import CAPTURE_CONTENT, SETTINGS, Config
from genai_otel.safe import scrub

_SECRET = re.compile(r"HEADERS|KEY|TOKEN|PASSWORD|SECRET|CREDENTIAL", re.IGNORECASE)
_NO_SECRET = ("KEY_FILE", "METRIC_KEYS")
_HIDDEN = "***"
_OTHERS = ("GENAI_OTEL_STRICT",)


def content(config: Config) -> Iterator[Finding]:
    """Whether prompts and answers leave the process."""
    facts: dict[str, object] = {"mode": config.capture_content}
    if config.capture_content == "NO_CONTENT":
        yield Finding("content", "ok", "content is off: no prompts or answers are recorded", facts=facts)
        return
    where = {"SPAN_ONLY": "on spans", "EVENT_ONLY": "on events"}.get(
        config.capture_content, "on spans and events"
    )
    yield Finding(
        "content",
        "note",
        f"content is on: prompts and answers are recorded {where}",
        f"{CAPTURE_CONTENT} decides",
        facts,
    )


def settings(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The variables that are set, with secrets hidden; values that a setting cannot have; names that nobody reads."""
    for problem in config.problems:
        yield Finding("settings", "problem", scrub(problem))
    known = [setting.variable for setting in SETTINGS] + list(_OTHERS)
    for name in sorted(environ):
        if not name.startswith(("OTEL_", "GENAI_OTEL_")):
            continue
        value = shown(name, environ[name])
        if name.startswith("GENAI_OTEL_") and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            advice = f"did you mean {near[0]}?" if near else "`genai-otel settings` lists the names"
            yield Finding("settings", "problem", f"{name} is not a setting", advice, {"variable": name})
        else:
            yield Finding("settings", "ok", f"{name}={value}", facts={"variable": name, "value": value})


def shown(name: str, value: str) -> str:
    """A variable's value as it may be read by others."""
    if "HEADERS" in name:
        return ",".join(
            f"{part.partition('=')[0].strip()}={_HIDDEN}" for part in value.split(",") if part.strip()
        )
    return _HIDDEN if _SECRET.search(name) and not name.endswith(_NO_SECRET) else scrub(value)
