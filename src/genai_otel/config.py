"""Settings: one table of variable, argument, default and meaning, and the frozen result of reading it.

A setting of our own exists only where OpenTelemetry has no standard variable; everything else (exporters, endpoints,
headers, sampling, resource, limits) is said with the standard ``OTEL_*`` variables, which :mod:`genai_otel.runtime`
honours.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, NamedTuple, cast

from genai_otel.spec import Mode

CAPTURE_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

ContentMode = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]
Console = Literal["auto", "on", "off"]
Gpu = Literal["auto", "on", "all", "off"]
Names = tuple[str, ...]


class SettingError(ValueError):
    """A setting has a value that it cannot have; the text names the setting, the value and what is allowed."""


class Setting(NamedTuple):
    """One row of the table: environment variable, ``setup()`` argument, default as text, meaning."""

    variable: str
    argument: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Config:
    """What the user asked for.  An argument wins over its variable, which wins over the default."""

    capture_content: ContentMode = "NO_CONTENT"
    console: Console = "auto"
    propagate_to: Names = ()
    clients_off: Names = ()
    clients_native: Names = ()
    content_value_bytes: int = 16_384
    span_bytes: int = 65_536
    batch_bytes: int = 4_194_304
    max_series: int = 2_000
    stream_usage: bool = False
    keep_foreign_metrics: bool = False
    keep_foreign_attributes: bool = True
    instrument_libraries: bool = True
    json_logs: bool = False
    gpu: Gpu = "auto"
    gpu_extra: Names = ()
    gpu_gpm: bool = False
    gpu_budget_ms: int = 500
    gpu_min_interval: float = 1.0
    exit_timeout: float = 4.0
    feedback_key: Names = field(default=(), repr=False)
    evaluation_spans: bool = False
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def content_on_spans(self) -> bool:
        """Whether prompts and answers may stand on spans."""
        return self.capture_content in ("SPAN_ONLY", "SPAN_AND_EVENT")

    @property
    def content_on_events(self) -> bool:
        """Whether prompts and answers may stand on events."""
        return self.capture_content in ("EVENT_ONLY", "SPAN_AND_EVENT")

    def mode(self, client: str) -> Mode:
        """Who traces the calls of a model client."""
        if client in self.clients_off:
            return "off"
        return "native" if client in self.clients_native else "wrap"

    @classmethod
    def load(
        cls, arguments: Mapping[str, Any], environ: Mapping[str, str], *, lenient: bool = False
    ) -> Config:
        """Read the settings.

        Raises :class:`SettingError` for an unknown argument or a value that a setting cannot have; with ``lenient``
        (the launcher, where nobody catches) the problem is kept in ``problems`` and the default is used.
        """
        found: dict[str, Any] = {}
        problems: list[str] = []
        for name in arguments:
            if name not in _TABLE:
                problems.append(f"setup() has no setting {name!r}; it has {', '.join(sorted(_TABLE))}")
        for setting in SETTINGS:
            try:
                found.update(_read(setting, arguments, environ))
            except SettingError as error:
                problems.append(str(error))
        if problems and not lenient:
            raise SettingError("; ".join(problems))
        return cls(**found, problems=tuple(problems))


def _read(setting: Setting, arguments: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    read = _TABLE[setting.argument].read
    if arguments.get(setting.argument) is not None:
        return {setting.argument: read(f"setup({setting.argument}=…)", arguments[setting.argument])}
    text = environ.get(setting.variable, "").strip()
    return {setting.argument: read(setting.variable, text)} if text else {}


_short = reprlib.Repr()  # also of objects whose own text raises
_short.maxstring = _short.maxother = 200
shown: Final = _short.repr
"""A value as an error names it: its text, bounded."""


# --- readers: value in, typed value out, or one clear error --------------------------------------


def _one_of(*allowed: str, **aliases: str) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        text = str(value).strip() if isinstance(value, str) else shown(value)
        for option in allowed:
            if text.lower() == option.lower():
                return option
        if text.lower() in aliases:
            return aliases[text.lower()]
        raise SettingError(f"{name} is {shown(text)}; allowed are {', '.join(allowed)}")

    return read


def _number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str, Any], Any]:
    def read(name: str, value: Any) -> Any:
        try:
            number = None if isinstance(value, bool) else kind(value)
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is None or not low <= number <= high:
            raise SettingError(f"{name} is {shown(value)}; allowed is {_A[kind]} from {low:g} to {high:g}")
        return number

    return read


_A: Final = {int: "a whole number", float: "a number"}
_TRUTH: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


def _switch(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    found = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        raise SettingError(f"{name} is {shown(value)}; allowed are true and false")
    return found


def _names(name: str, value: Any) -> Names:
    parts: list[Any] = value.split(",") if isinstance(value, str) else _listed(value)
    if not all(isinstance(part, str) for part in parts):
        raise SettingError(
            f"{name} is {shown(value)}; allowed is a list of names, or one text with commas between them"
        )
    return tuple(part.strip() for part in parts if part.strip())


def _names_of(*allowed: str) -> Callable[[str, Any], Names]:
    def read(name: str, value: Any) -> Names:
        names = _names(name, value)
        if not set(names) <= set(allowed):
            raise SettingError(f"{name} is {shown(value)}; allowed are {', '.join(allowed)}")
        return names

    return read


def _keys(name: str, value: Any) -> Names:
    try:
        return _names(name, value)
    except SettingError:  # which would show them
        raise SettingError(f"{name} is not a text; several keys have commas between them") from None


def _listed(value: Any) -> list[Any]:
    return list(cast("list[Any]", value)) if isinstance(value, (list, tuple, set, frozenset)) else [value]


class _Row(NamedTuple):
    variable: str
    read: Callable[[str, Any], Any]
    meaning: str


_TABLE: Final[dict[str, _Row]] = {
    # "true" is what older packages took; it meant what SPAN_ONLY means.
    "capture_content": _Row(
        CAPTURE_CONTENT,
        _one_of(
            "NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT", true="SPAN_ONLY", false="NO_CONTENT"
        ),
        "where prompts and answers may stand: `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT`",
    ),
    "console": _Row(
        "GENAI_OTEL_CONSOLE",
        _one_of("auto", "on", "off", true="on", false="off"),
        "trace trees on stderr: `on`, `off`, or `auto`, which is on when no exporter is configured",
    ),
    "propagate_to": _Row(
        "GENAI_OTEL_PROPAGATE_TO",
        _names,
        "further hosts that get trace headers and baggage, beside loopback and private addresses: names, `*.suffix`",
    ),
    "clients_off": _Row("GENAI_OTEL_CLIENTS_OFF", _names, "model clients whose calls are not traced"),
    "clients_native": _Row(
        "GENAI_OTEL_CLIENTS_NATIVE",
        _names,
        "model clients that trace their calls themselves, in place of us: `anthropic`, `mistralai`, `xai_sdk` can",
    ),
    "content_value_bytes": _Row(
        "GENAI_OTEL_CONTENT_VALUE_BYTES", _number(int, 64, 16_777_216), "most bytes of one captured value"
    ),
    "span_bytes": _Row(
        "GENAI_OTEL_SPAN_BYTES",
        _number(int, 1_024, 67_108_864),
        "most bytes of all texts of one span; content goes first",
    ),
    "batch_bytes": _Row(
        "GENAI_OTEL_BATCH_BYTES",
        _number(int, 65_536, 67_108_864),
        "most bytes of one export; a larger batch is sent in parts",
    ),
    "max_series": _Row(
        "GENAI_OTEL_MAX_SERIES",
        _number(int, 10, 1_000_000),
        "most label sets of one metric; more are folded into one overflow series",
    ),
    "stream_usage": _Row(
        "GENAI_OTEL_STREAM_USAGE",
        _switch,
        "ask OpenAI for the usage of streams (`stream_options.include_usage`) where the program does not",
    ),
    "keep_foreign_metrics": _Row(
        "GENAI_OTEL_KEEP_FOREIGN_METRICS",
        _switch,
        "keep `gen_ai.*` metrics that other instrumentations record in our MeterProvider",
    ),
    "keep_foreign_attributes": _Row(
        "GENAI_OTEL_KEEP_FOREIGN_ATTRIBUTES",
        _switch,
        "keep the attributes of other libraries' spans beside the conventional ones that they were translated to",
    ),
    "instrument_libraries": _Row(
        "GENAI_OTEL_INSTRUMENT_LIBRARIES",
        _switch,
        "activate the installed OpenTelemetry instrumentations (FastAPI, httpx, databases, …)",
    ),
    "json_logs": _Row(
        "GENAI_OTEL_JSON_LOGS",
        _switch,
        "write log records as JSON lines to stdout, with trace ids, in place of what the program prints of them",
    ),
    "gpu": _Row(
        "GENAI_OTEL_GPU",
        _one_of("auto", "on", "all", "off", true="on", false="off"),
        "who reads NVIDIA GPUs: `auto` one process per user and host, `on` this one, which says if there are none, "
        "`all` this one, and also GPUs that `CUDA_VISIBLE_DEVICES` hides; or `off`",
    ),
    "gpu_extra": _Row(
        "GENAI_OTEL_GPU_EXTRA",
        _names_of("fan", "nvlink", "process", "serial_number"),
        "further readings of GPUs: `fan`, `nvlink`, `process` (utilization by this process), `serial_number`",
    ),
    "gpu_gpm": _Row(
        "GENAI_OTEL_GPU_GPM",
        _switch,
        "how busy multiprocessors, tensor cores and memory are, as GPUs from Hopper on can measure it",
    ),
    "gpu_budget_ms": _Row(
        "GENAI_OTEL_GPU_BUDGET_MS",
        _number(int, 1, 10_000),
        "most milliseconds that a collection of metrics waits for the GPUs; later, they are absent from it",
    ),
    "gpu_min_interval": _Row(
        "GENAI_OTEL_GPU_MIN_INTERVAL",
        _number(float, 0, 3_600),
        "seconds for which what was read of the GPUs is given to whoever collects",
    ),
    "exit_timeout": _Row(
        "GENAI_OTEL_EXIT_TIMEOUT",
        _number(float, 0, 60),
        "most seconds that the end of the process waits for all exporters",
    ),
    "feedback_key": _Row(
        "GENAI_OTEL_FEEDBACK_KEY",
        _keys,
        "secret that signs references to responses; of several, between commas, the first signs and all are good",
    ),
    "evaluation_spans": _Row(
        "GENAI_OTEL_EVALUATION_SPANS",
        _switch,
        "for back ends without logs: each result of an evaluation is a span, too, in the trace of the response",
    ),
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value == () else str(value)


_DEFAULTS: Final = {item.name: item.default for item in fields(Config)}

SETTINGS: Final[tuple[Setting, ...]] = tuple(
    Setting(row.variable, argument, _text(_DEFAULTS[argument]), row.meaning)
    for argument, row in _TABLE.items()
)
