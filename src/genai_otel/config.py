"""Settings: one table of variable, argument, default and meaning, and the frozen result of reading it.

A setting of our own exists only where OpenTelemetry has no standard variable; everything else (exporters, endpoints,
headers, sampling, resource, limits) is said with the standard ``OTEL_*`` variables, which :mod:`genai_otel.runtime`
honours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from genai_otel import setting_values as values
from genai_otel.setting_values import Names, SettingError

if TYPE_CHECKING:
    from genai_otel.prices.budget import Budget
    from genai_otel.prices.own import Own
    from genai_otel.spec import Mode

CAPTURE_CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"

ContentMode = Literal["NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT"]
Console = Literal["auto", "on", "off"]
UserIds = Literal["hash", "raw"]
Gpu = Literal["auto", "on", "all", "off"]


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
    prices: Own | None = None
    cost_attributes: Names = ()
    budget: Budget | None = None
    gpu: Gpu = "auto"
    gpu_extra: Names = ()
    gpu_gpm: bool = False
    gpu_budget_ms: int = 500
    gpu_min_interval: float = 1.0
    gpu_energy: bool = False
    gpu_co2e_per_kwh: float = 0.0
    metric_keys: Names = ()
    accept_baggage: Names = ()
    user_ids: UserIds = "hash"
    user_key: str = field(default="", repr=False)
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


class _Row(NamedTuple):
    variable: str
    read: Callable[[str, Any], Any]
    meaning: str


_TABLE: Final[dict[str, _Row]] = {
    # "true" is what older packages took; it meant what SPAN_ONLY means.
    "capture_content": _Row(
        CAPTURE_CONTENT,
        values.one_of(
            "NO_CONTENT", "SPAN_ONLY", "EVENT_ONLY", "SPAN_AND_EVENT", true="SPAN_ONLY", false="NO_CONTENT"
        ),
        "where prompts and answers may stand: `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT`",
    ),
    "console": _Row(
        "GENAI_OTEL_CONSOLE",
        values.one_of("auto", "on", "off", true="on", false="off"),
        "trace trees on stderr: `on`, `off`, or `auto`, which is on when no exporter is configured",
    ),
    "propagate_to": _Row(
        "GENAI_OTEL_PROPAGATE_TO",
        values.names,
        "further hosts that get trace headers and baggage, beside loopback and private addresses: names, `*.suffix`",
    ),
    "clients_off": _Row("GENAI_OTEL_CLIENTS_OFF", values.names, "model clients whose calls are not traced"),
    "clients_native": _Row(
        "GENAI_OTEL_CLIENTS_NATIVE",
        values.names,
        "model clients that trace their calls themselves, in place of us: `anthropic`, `mistralai`, `xai_sdk` can",
    ),
    "content_value_bytes": _Row(
        "GENAI_OTEL_CONTENT_VALUE_BYTES",
        values.number(int, 64, 16_777_216),
        "most bytes of one captured value",
    ),
    "span_bytes": _Row(
        "GENAI_OTEL_SPAN_BYTES",
        values.number(int, 1_024, 67_108_864),
        "most bytes of all texts of one span; content goes first",
    ),
    "batch_bytes": _Row(
        "GENAI_OTEL_BATCH_BYTES",
        values.number(int, 65_536, 67_108_864),
        "most bytes of one export; a larger batch is sent in parts",
    ),
    "max_series": _Row(
        "GENAI_OTEL_MAX_SERIES",
        values.number(int, 10, 1_000_000),
        "most label sets of one metric; more are folded into one overflow series",
    ),
    "stream_usage": _Row(
        "GENAI_OTEL_STREAM_USAGE",
        values.switch,
        "ask OpenAI for the usage of streams (`stream_options.include_usage`) where the program does not",
    ),
    "keep_foreign_metrics": _Row(
        "GENAI_OTEL_KEEP_FOREIGN_METRICS",
        values.switch,
        "keep `gen_ai.*` metrics that other instrumentations record in our MeterProvider",
    ),
    "keep_foreign_attributes": _Row(
        "GENAI_OTEL_KEEP_FOREIGN_ATTRIBUTES",
        values.switch,
        "keep the attributes of other libraries' spans beside the conventional ones that they were translated to",
    ),
    "instrument_libraries": _Row(
        "GENAI_OTEL_INSTRUMENT_LIBRARIES",
        values.switch,
        "activate the installed OpenTelemetry instrumentations (FastAPI, httpx, databases, …)",
    ),
    "prices": _Row(
        "GENAI_OTEL_PRICES",
        values.prices,
        "prices of your own, which win: a JSON or TOML file, in our form or litellm's; to `setup()` also a mapping",
    ),
    "cost_attributes": _Row(
        "GENAI_OTEL_COST_ATTRIBUTES",
        values.names_of("gen_ai.usage.cost", "operation.cost"),
        "further names of a span's cost: `gen_ai.usage.cost` (a proposal to the conventions), `operation.cost`",
    ),
    "budget": _Row(
        "GENAI_OTEL_BUDGET",
        values.budget,
        "what may be spent, watched and never enforced: `100 USD/day`, or JSON with `total` and `tenants`",
    ),
    "json_logs": _Row(
        "GENAI_OTEL_JSON_LOGS",
        values.switch,
        "write log records as JSON lines to stdout, with trace ids, in place of what the program prints of them",
    ),
    "gpu": _Row(
        "GENAI_OTEL_GPU",
        values.one_of("auto", "on", "all", "off", true="on", false="off"),
        "who reads NVIDIA GPUs: `auto` one process per user and host, `on` this one, which says if there are none, "
        "`all` this one, and also GPUs that `CUDA_VISIBLE_DEVICES` hides; or `off`",
    ),
    "gpu_extra": _Row(
        "GENAI_OTEL_GPU_EXTRA",
        values.names_of("fan", "nvlink", "process", "serial_number"),
        "further readings of GPUs: `fan`, `nvlink`, `process` (utilization by this process), `serial_number`",
    ),
    "gpu_gpm": _Row(
        "GENAI_OTEL_GPU_GPM",
        values.switch,
        "how busy multiprocessors, tensor cores and memory are, as GPUs from Hopper on can measure it",
    ),
    "gpu_budget_ms": _Row(
        "GENAI_OTEL_GPU_BUDGET_MS",
        values.number(int, 1, 10_000),
        "most milliseconds that a collection of metrics waits for the GPUs; later, they are absent from it",
    ),
    "gpu_min_interval": _Row(
        "GENAI_OTEL_GPU_MIN_INTERVAL",
        values.number(float, 0, 3_600),
        "seconds for which what was read of the GPUs is given to whoever collects",
    ),
    "gpu_energy": _Row(
        "GENAI_OTEL_GPU_ENERGY",
        values.switch,
        "put the joules that the GPUs used on the spans of calls whose model runs in this process",
    ),
    "gpu_co2e_per_kwh": _Row(
        "GENAI_OTEL_GPU_CO2E_PER_KWH",
        values.number(float, 0, 10_000),
        "grams of CO2 equivalents that a kilowatt-hour emits where the GPUs are, for `genai_otel.co2e`; 0 is none",
    ),
    "metric_keys": _Row(
        "GENAI_OTEL_METRIC_KEYS",
        values.label_keys,
        "what of `context(…)` may be labels of metrics: `tenant`, names of your own, never users; 100 values each",
    ),
    "accept_baggage": _Row(
        "GENAI_OTEL_ACCEPT_BAGGAGE",
        values.names,
        "what of `context(…)` is taken from the baggage of callers: `session`, `user`, `tenant`, `tags`, names of your "
        "own, or `*`; for services that only your own can call",
    ),
    "user_ids": _Row(
        "GENAI_OTEL_USER_IDS",
        values.one_of("hash", "raw"),
        "the user of `context(…)` as `user.hash` (`hash`), or as `user.id` as he is given (`raw`)",
    ),
    "user_key": _Row(
        "GENAI_OTEL_USER_KEY",
        values.secret,
        "a secret with which users are hashed; without one, who can guess a user's id can recognise its hash",
    ),
    "exit_timeout": _Row(
        "GENAI_OTEL_EXIT_TIMEOUT",
        values.number(float, 0, 60),
        "most seconds that the end of the process waits for all exporters",
    ),
    "feedback_key": _Row(
        "GENAI_OTEL_FEEDBACK_KEY",
        values.secret_keys,
        "secret that signs references to responses; of several, between commas, the first signs and all are good",
    ),
    "evaluation_spans": _Row(
        "GENAI_OTEL_EVALUATION_SPANS",
        values.switch,
        "for back ends without logs: each result of an evaluation is a span, too, in the trace of the response; "
        "so it is where spans go to the terminal alone",
    ),
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value in ((), None) else str(value)


_DEFAULTS: Final = {item.name: item.default for item in fields(Config)}

SETTINGS: Final[tuple[Setting, ...]] = tuple(
    Setting(row.variable, argument, _text(_DEFAULTS[argument]), row.meaning)
    for argument, row in _TABLE.items()
)
