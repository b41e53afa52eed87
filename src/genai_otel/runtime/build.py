"""Builds what :func:`genai_otel.setup` returns, part by part; a part that fails leaves the others working."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from genai_otel import about, ambient, fence, semconv
from genai_otel.clients import CLIENTS
from genai_otel.config import Config
from genai_otel.engine import call as calls
from genai_otel.engine import patch, record
from genai_otel.engine.record import ContentPolicy, Recorder
from genai_otel.prices import age, books
from genai_otel.prices.pricer import Pricer
from genai_otel.processing.ledger import Ledger
from genai_otel.processing.measure import Measure, client
from genai_otel.runtime import declared, forked, plugins, process
from genai_otel.runtime.ending import Worker
from genai_otel.runtime.greenlets import aside
from genai_otel.runtime.handle import Handle
from genai_otel.runtime.logs import build_logs
from genai_otel.runtime.providers import Asked, Built, build_metrics, build_traces, resource_of
from genai_otel.version import __version__

_PROFILE = "gen_ai_latest_experimental"


def build(config: Config, objects: Mapping[str, Any]) -> Handle:
    """Build providers, connect the engine, activate the rest.  ``objects`` are the fields of :class:`Asked`."""
    environ, problem = declared.configure(os.environ)
    asked = Asked(environ=environ, **objects)
    if asked.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return Handle(config, None, problems=["switched off by OTEL_SDK_DISABLED"])
    built = Built(config=config, asked=asked, resource=resource_of(asked))
    if problem is not None:
        built.problem(problem)
    with fence.contain("runtime.metrics"):
        build_metrics(built)
    pricer = _pricer(config)
    built.ledger = Ledger(config.budget)
    with fence.contain("runtime.traces"):
        build_traces(built, _measure(asked.environ, pricer)._replace(note=built.ledger.note))
    with fence.contain("runtime.logs"):
        build_logs(built)
    handle = Handle(config, built, built.exporters, [*config.problems, *built.problems])
    if built.pipeline is not None:
        with fence.contain("runtime.about"):
            if built.meter_provider is not None:
                meter = built.meter_provider.get_meter(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
                about.observe(meter, built.pipeline.keys)
                age.observe(meter, pricer.books)
                if config.budget is not None and built.sink is not None:
                    built.ledger.observe(meter, built.sink.settle)
        with fence.contain("runtime.gpu"):
            _watch_gpus(built)
        _connect(built)
        with fence.contain("runtime.quality"):
            _connect_quality(built)
        _activate(built, handle)
    if built.pipeline is not None or built.owned:
        process.watch(handle, _after_fork(built, handle))
    return handle


def _watch_gpus(built: Built) -> None:
    config = built.config
    if config.gpu == "off" or (built.meter_provider is None and not config.gpu_energy):
        return
    from genai_otel.gpu.driver import Driver

    built.gpus = Driver(Worker("gpu"), config.gpu_budget_ms / 1000, aside)
    if built.meter_provider is not None:
        from genai_otel.gpu.observe import observe

        meter = built.meter_provider.get_meter(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
        observe(meter, config, built.asked.environ, built.gpus)


def _recorder(built: Built) -> Callable[..., Recorder]:
    if not built.config.gpu_energy or built.gpus is None:
        return Recorder
    from genai_otel.runtime.energy import recorder

    return recorder(built.gpus, built.asked.environ)


def _pricer(config: Config) -> Pricer:
    own = config.prices
    if own is None:
        return Pricer(books, compatible=config.cost_attributes)
    aliases = own.models if own.aliases else None
    alone = Pricer(lambda: books(own)[:1], aliases, says=False) if own.providers else None
    return Pricer(partial(books, own), aliases, config.cost_attributes, own=alone)


def _measure(environ: Mapping[str, str], pricer: Pricer) -> Measure:
    chosen = {part.strip() for part in environ.get("OTEL_SEMCONV_STABILITY_OPT_IN", "").split(",")}
    both = f"{_PROFILE}/dup" in chosen
    latest = both or _PROFILE in chosen
    return client(stable=both or not latest, latest=latest, pricer=pricer)


def _connect(built: Built) -> None:
    config, pipeline = built.config, built.pipeline
    if pipeline is None or built.tracer_provider is None:
        return
    content = None
    if config.capture_content != "NO_CONTENT":
        content = ContentPolicy(config.content_on_spans, config.content_on_events, config.content_value_bytes)
    events = None
    if built.logger_provider is not None:
        events = built.logger_provider.get_logger(semconv.SCOPE, __version__, semconv.SCHEMA_URL)
    ambient.configure(raw=config.user_ids == "raw", key=config.user_key)
    ambient.when_told(pipeline.mark_request)
    record.connect(
        _recorder(built)(
            built.tracer_provider.get_tracer(semconv.SCOPE, __version__, semconv.SCHEMA_URL),
            pipeline,
            maker=built.span_maker,
            content=content,
            events=events,
            stream_usage=config.stream_usage,
        )
    )


def _connect_quality(built: Built) -> None:
    from genai_otel.quality import connected

    config, pipeline = built.config, built.pipeline
    if pipeline is None or built.tracer_provider is None:
        return
    scope = (semconv.SCOPE, __version__)
    connected.connect(
        connected.Connected(
            pipeline.recent,
            calls.open_call_of,
            calls.open_calls,
            built.sink,
            events=built.logger_provider
            and built.logger_provider.get_logger(*scope, schema_url=semconv.SCHEMA_URL),
            spans=built.tracer_provider.get_tracer(*scope, schema_url=semconv.SCHEMA_URL)
            if config.evaluation_spans or (built.shown_only and built.logger_provider is None)
            else None,
            content_on_events=config.content_on_events,
            content_on_spans=config.content_on_spans,
            value_bytes=config.content_value_bytes,
            labels=pipeline.keys,
            keys=config.feedback_key,
        )
    )


def _activate(built: Built, handle: Handle) -> None:
    from genai_otel import propagate, web

    environ = built.asked.environ
    disabled = {
        name.strip() for name in environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")
    } - {""}
    others = tuple(plugins.specs(built.problem))
    if not disabled & {"*", "genai_otel"}:
        patch.expect(CLIENTS, built.config.mode)
        patch.install(others, built.config.mode)
    with fence.contain("runtime.propagate"):
        propagate.install(built.config.propagate_to, built.config.accept_baggage)
    with fence.contain("runtime.web"):
        web.cover(handle.flush)
    if built.config.instrument_libraries:
        from genai_otel import instrumentors

        rivals = {name for client in (*CLIENTS, *others) for name in client.instrumentors}
        own = {
            name: getattr(built.asked, name)
            for name in ("tracer_provider", "meter_provider")
            if getattr(built.asked, name) is not None
        }
        with fence.contain("runtime.instrumentors"):
            instrumentors.activate(disabled, rivals=rivals, providers=own)


def _after_fork(built: Built, handle: Handle) -> Any:
    def restart() -> None:
        calls.forget_all()
        fence.reset()
        if built.pipeline is not None:
            built.pipeline.after_fork()
        reset = getattr(built.sink, "after_fork", None)
        if reset is not None:
            reset()
        if built.ledger is not None:
            built.ledger.after_fork()
        if built.meter_provider in built.owned:
            forked.renew(built.meter_provider, built.readers)
        handle.restart()

    return restart
