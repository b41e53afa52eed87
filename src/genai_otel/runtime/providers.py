"""The three providers: the user's where he has set them, else ours, built once from the standard variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import DEFAULT_ON, Sampler
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.util._importlib_metadata import (
    entry_points,  # pyright: ignore[reportUnknownVariableType] - cached by the API, without types
)

from genai_otel import fence, semconv
from genai_otel.config import Config
from genai_otel.engine.span import SpanMaker
from genai_otel.guard import Guard
from genai_otel.metrics import HTTP_SERVER_DURATION
from genai_otel.prices.pricer import Pricer
from genai_otel.processing import collect
from genai_otel.processing.instruments import InstrumentSink
from genai_otel.processing.keys import MetricKeys
from genai_otel.processing.ledger import Ledger, Unread
from genai_otel.processing.measure import Measure
from genai_otel.processing.priced import PricedSpans
from genai_otel.processing.processor import Pipeline, Queue
from genai_otel.processing.queue import Batch, Immediate
from genai_otel.processing.sampler import MeasuringSampler
from genai_otel.processing.series import SeriesSink
from genai_otel.runtime import exporters
from genai_otel.runtime.exporters import CountedMetrics, ExporterError, Signal
from genai_otel.runtime.standard import SPAN_QUEUE
from genai_otel.version import __version__

if TYPE_CHECKING:
    from genai_otel.gpu.driver import Driver

_ID_GENERATOR = "OTEL_PYTHON_ID_GENERATOR"
_SDK_METRICS = "OTEL_PYTHON_SDK_INTERNAL_METRICS_ENABLED"
_SCOPE = InstrumentationScope(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
_BUILT_IN_SAMPLERS = frozenset(
    prefix + name for prefix in ("", "parentbased_") for name in ("always_on", "always_off", "traceidratio")
)


@dataclass
class Asked:
    """What the program passed to ``setup()`` beside plain settings, and where it runs."""

    environ: Mapping[str, str]
    endpoint: str | None = None
    service_name: str | None = None
    resource_attributes: Mapping[str, Any] | None = None
    sampler: Sampler | None = None
    tracer_provider: Any = None
    meter_provider: Any = None
    logger_provider: Any = None
    span_exporters: Sequence[SpanExporter] = ()
    metric_readers: Sequence[MetricReader] = ()
    log_exporters: Sequence[Any] = ()


@dataclass
class Built:
    """Providers and what stands between them.  ``None`` where a signal is off; ``owned`` are those we shut down."""

    config: Config
    asked: Asked
    resource: Resource
    exporters: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])
    tracer_provider: Any = None
    meter_provider: Any = None
    logger_provider: Any = None
    sink: SeriesSink | InstrumentSink | Unread | None = None
    pipeline: Pipeline | None = None
    span_maker: SpanMaker | None = None
    gpus: Driver | None = None
    ledger: Ledger | None = None
    readers: list[MetricReader] = field(default_factory=list[MetricReader])
    owned: list[Any] = field(default_factory=list[Any])
    shown_only: bool = False  # spans go to the terminal and nowhere else

    @property
    def measures_http(self) -> bool:
        """Whether HTTP requests are measured from their spans: both providers are ours, and labels are allowed."""
        traces = is_unset(self.asked.tracer_provider or trace.get_tracer_provider())
        meters = is_unset(self.asked.meter_provider or metrics.get_meter_provider())
        return bool(self.config.metric_keys) and traces and (meters or self.meter_provider in self.owned)

    def problem(self, text: str) -> None:
        """Something that was asked for is not to be had; the rest goes on."""
        self.problems.append(text)
        fence.warn(text)

    def make(self, signal: Signal) -> list[Any]:
        """The exporters of a signal, less those that cannot be made."""
        made: list[Any] = []
        for name in exporters.chosen(signal, self.asked.environ, endpoint=self.asked.endpoint):
            if signal == "metrics" and name == "prometheus":
                continue
            try:
                exporter, words = exporters.make(
                    name, signal, self.asked.environ, endpoint=self.asked.endpoint
                )
            except ExporterError as error:
                self.problem(str(error))
            except Exception as error:  # noqa: BLE001 - a foreign exporter's constructor
                self.problem(
                    f"the {name} exporter for {signal} cannot be made: {type(error).__name__}: {error}"
                )
            else:
                made.append(exporter)
                self.exporters.append(words)
        return made


def is_unset(provider: Any) -> bool:
    """Whether a global provider is the API's placeholder, which stands for: nobody has set one."""
    return type(provider).__name__.lstrip("_").startswith("Proxy")


def resource_of(asked: Asked) -> Resource:
    """The resource of our providers, by the standard variables, with our distro's name."""
    attributes: dict[str, Any] = dict(asked.resource_attributes or {})
    if asked.service_name is not None:
        attributes["service.name"] = asked.service_name
    attributes["telemetry.distro.name"] = "genai-otel"
    attributes["telemetry.distro.version"] = __version__
    return Resource.create(attributes)


# --- metrics -------------------------------------------------------------------------------------


def build_metrics(built: Built) -> None:
    """The MeterProvider and the sink of measurements."""
    existing = built.asked.meter_provider or metrics.get_meter_provider()
    if not is_unset(existing):
        built.meter_provider = existing
        built.sink = InstrumentSink(existing.get_meter(semconv.SCOPE, __version__, semconv.SCHEMA_URL))
        return
    built.readers = _readers(built)
    if not built.readers:
        return
    dropped = [] if built.config.keep_foreign_metrics else ["gen_ai.*"]
    if built.measures_http:
        dropped.append(HTTP_SERVER_DURATION.name)
    drop = [View(instrument_name=name, aggregation=DropAggregation()) for name in dropped]
    provider = MeterProvider(built.readers, built.resource, shutdown_on_exit=False, views=drop)
    exemplars: Any = built.asked.environ.get("OTEL_METRICS_EXEMPLAR_FILTER", "").strip() or "trace_based"
    sink = SeriesSink(built.config.max_series, exemplars)
    for reader in built.readers:
        collect.attach(reader, sink, _SCOPE, lambda: built.resource)
    metrics.set_meter_provider(provider)
    built.meter_provider, built.sink = provider, sink
    built.owned.append(provider)


def _readers(built: Built) -> list[MetricReader]:
    readers: list[MetricReader] = list(built.asked.metric_readers)
    made: list[Any] = [CountedMetrics(exporter) for exporter in built.make("metrics")]
    readers += [PeriodicExportingMetricReader(exporter) for exporter in made]
    if "prometheus" in exporters.chosen("metrics", built.asked.environ, endpoint=built.asked.endpoint):
        from genai_otel.runtime.prometheus import serve

        reader = serve(built)
        if reader is not None:
            readers.append(reader)
    return readers


# --- traces --------------------------------------------------------------------------------------


def build_traces(built: Built, measure: Measure) -> None:
    """The TracerProvider with our pipeline, or our pipeline in the user's."""
    keep = built.config.keep_foreign_attributes
    keys = MetricKeys(built.config.metric_keys, http=built.measures_http)
    existing = built.asked.tracer_provider or trace.get_tracer_provider()
    if not is_unset(existing):
        built.tracer_provider, built.sink = existing, built.sink or Unread()
        built.pipeline = Pipeline(measure, built.sink, beside=True, keep_attributes=keep, keys=keys)
        add = getattr(existing, "add_span_processor", None)
        if add is not None:
            add(built.pipeline)
        return
    following = _queues(built, measure.pricer)
    config = built.config  # lines of JSON tell the ids of spans
    if not following and built.sink is None and not config.json_logs and config.budget is None:
        return
    built.sink, limits = built.sink or Unread(), SpanLimits()
    built.pipeline = Pipeline(measure, built.sink, following, limits, keep_attributes=keep, keys=keys)
    provider = _PipelineProvider(
        sampler=built.asked.sampler or _named_sampler(built),
        resource=built.resource,
        shutdown_on_exit=False,
        active_span_processor=built.pipeline,  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - any
        # SpanProcessor works; the annotation names only the two classes that also have add_span_processor
        span_limits=limits,
        id_generator=_id_generator(built),
    )
    if (
        built.asked.environ.get(_SDK_METRICS, "").strip().lower() != "true"
    ):  # the SDK counts its own spans only
        built.span_maker = SpanMaker(provider, provider.sampler, limits, _SCOPE)
    provider.sampler = MeasuringSampler(provider.sampler, http=keys.http)
    trace.set_tracer_provider(provider)
    built.tracer_provider = provider
    built.owned.append(provider)


class _PipelineProvider(TracerProvider):
    """A TracerProvider whose further processors get what the pipeline hands on."""

    def add_span_processor(self, span_processor: SpanProcessor) -> None:
        pipeline: Any = self._active_span_processor
        pipeline.add(span_processor)


def _named_sampler(built: Built) -> Sampler | None:
    """A sampler of another package named by the standard variable; None leaves the built-in ones to the SDK."""
    environ = built.asked.environ
    name = environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if not name or name.lower() in _BUILT_IN_SAMPLERS:
        return None
    group, argument = "opentelemetry_traces_sampler", environ.get("OTEL_TRACES_SAMPLER_ARG")
    sampler = _plugin(built, "OTEL_TRACES_SAMPLER", group, _BUILT_IN_SAMPLERS, argument)
    return sampler or DEFAULT_ON


def _id_generator(built: Built) -> IdGenerator | None:
    if built.asked.environ.get(_ID_GENERATOR, "").strip() in ("", "random"):
        return None
    return _plugin(built, _ID_GENERATOR, "opentelemetry_id_generator", ("random",))


def _plugin(built: Built, variable: str, group: str, others: Iterable[str], *arguments: Any) -> Any:
    """What another package makes under the name that a variable has; None, and said, when that is not to be had."""
    name = built.asked.environ[variable].strip()
    for entry in entry_points(group=group, name=name):
        try:
            return entry.load()(*arguments)
        except Exception as error:  # noqa: BLE001 - a foreign package
            built.problem(
                f"{variable} is {name!r}, which fails with {type(error).__name__}: {error}; its default holds"
            )
            return None
    built.problem(
        f"{variable} is {name!r}; allowed are {', '.join(sorted(others))} and the names that installed packages "
        f"offer; its default holds"
    )
    return None


def _queues(built: Built, pricer: Pricer | None) -> list[Queue]:
    config = built.config
    queues: list[Queue] = []
    made = built.make("traces")
    for exporter in made:
        queues.append(Batch(_guard(exporter, config, pricer), _queue_size(built)))
    for exporter in built.asked.span_exporters:
        queues.append(Batch(_guard(exporter, config, pricer), _queue_size(built)))
    silent = not made and not built.asked.span_exporters and "OTEL_TRACES_EXPORTER" not in built.asked.environ
    if config.console == "on" or (config.console == "auto" and silent and not _prometheus_only(built)):
        from genai_otel.console import ConsoleView

        queues.append(Immediate(_guard(ConsoleView(), config, pricer)))
        built.exporters.append("traces: console view on stderr")
        built.shown_only = len(queues) == 1
    return queues


def _prometheus_only(built: Built) -> bool:
    """Somebody who asked for metrics alone has configured something: no console view for him."""
    return bool(built.asked.environ.get("OTEL_METRICS_EXPORTER", "").strip())


def _guard(exporter: SpanExporter, config: Config, pricer: Pricer | None) -> SpanExporter:
    guard = Guard(
        exporter,
        content_on_spans=config.content_on_spans,
        span_bytes=config.span_bytes,
        batch_bytes=config.batch_bytes,
    )
    return guard if pricer is None else PricedSpans(guard, pricer)


def _queue_size(built: Built) -> int | None:
    return None if built.asked.environ.get("OTEL_BSP_MAX_QUEUE_SIZE") else SPAN_QUEUE
