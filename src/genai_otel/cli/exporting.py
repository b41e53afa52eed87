"""Where telemetry would go from this environment, and whether somebody takes it there."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from importlib.metadata import entry_points
from ipaddress import ip_address
from typing import NamedTuple, get_args
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from genai_otel import metrics
from genai_otel.cli.finding import Finding, Level
from genai_otel.cli.probe import Address, Probe, ask, get
from genai_otel.config import Config
from genai_otel.runtime.exporters import Signal, chosen
from genai_otel.safe import scrub

_PREFIX = "OTEL_EXPORTER_OTLP"
_DEFAULTS = {"http": "http://localhost:4318", "grpc": "http://localhost:4317"}
_OTLP = {"otlp": None, "otlp_proto_http": "http", "otlp_proto_grpc": "grpc"}
_PROTOCOLS = {"": "http", "http/protobuf": "http", "grpc": "grpc"}
_ADVICE = {
    "refused": "nothing listens there: start the Collector, or correct {variable}",
    "silent": "something takes connections and never answers: look at the Collector, or a firewall before it",
    "unknown host": "correct the host in {variable}",
    "unreachable": "correct {variable}, or the network between",
    "no TLS": "say http:// where the receiver has no TLS; name its certificate in OTEL_EXPORTER_OTLP_CERTIFICATE",
    "http": "it may be a gRPC port: use 4318, or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc",
    "grpc": "it may be an HTTP port: use 4317, or set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
}


class _Target(NamedTuple):
    """One OTLP exporter: its signal, protocol (http or grpc), URL and the variable that said so."""

    signal: Signal
    protocol: str
    url: str
    variable: str

    def address(self, environ: Mapping[str, str]) -> Address | None:
        authority = _setting(environ, self.signal, "CERTIFICATE") or None
        address = Address.of(self.url, authority=authority)
        if address and self.protocol == "grpc" and not urlsplit(self.url).port:
            return address._replace(port=4317)
        return address


def exporting(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    """The exporters that are on, and what their addresses answer."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        yield Finding("export", "note", "everything is off", "unset OTEL_SDK_DISABLED to switch it on")
        return
    targets: list[_Target] = []
    anything = False
    for signal in get_args(Signal):
        for name in chosen(signal, environ, endpoint=None):
            anything = True
            if name in _OTLP:
                targets.append(_target(signal, _OTLP[name], environ))
            elif (signal, name) == ("metrics", "prometheus"):
                yield _prometheus(environ)
            else:
                yield _named(signal, name)
    yield from _answers(targets, environ)
    yield from _console(config, environ, anything)


def _answers(targets: Collection[_Target], environ: Mapping[str, str]) -> Iterator[Finding]:
    addresses: dict[Hashable, Address] = {}
    for target in targets:
        address = target.address(environ)
        if target.protocol not in _DEFAULTS:
            text = f"{target.signal}: {_PREFIX}_PROTOCOL is {target.protocol!r}"
            yield Finding("export", "problem", text, "allowed are http/protobuf and grpc")
        elif address is None:
            text = f"{target.signal}: {target.variable} is no URL: {scrub(target.url)!r}"
            yield Finding("export", "problem", text, "write it like http://localhost:4318")
        elif proxy := _proxy(target):
            text = f"{target.signal}: OTLP to {scrub(target.url)} through the proxy {scrub(proxy)}, not asked"
            yield Finding("export", "note", text, "add the host to NO_PROXY if it is inside your network")
        else:
            addresses[target] = address
    probes = ask(addresses, grpc={target for target in targets if target.protocol == "grpc"})
    for target in targets:
        if target in probes:
            yield _answer(target, probes[target])
            yield from _open_headers(target, addresses[target], environ)


def _answer(target: _Target, probe: Probe) -> Finding:
    level, word, advice = _meaning(target, probe)
    return Finding(
        "export",
        level,
        f"{target.signal}: OTLP/{target.protocol} to {scrub(target.url)}: {word}",
        advice.format(variable=target.variable),
        {
            "signal": target.signal,
            "protocol": target.protocol,
            "endpoint": scrub(target.url),
            "answer": probe.answer,
            "detail": probe.detail,
        },
    )


def _meaning(target: _Target, probe: Probe) -> tuple[Level, str, str]:
    if probe.answer == "other protocol":
        return "problem", f"answers, but not in {target.protocol}", _ADVICE[target.protocol]
    if probe.answer != "answers":
        word = f"{probe.answer} ({probe.detail})" if probe.detail else probe.answer
        return "problem", word, _ADVICE[probe.answer]
    if probe.detail == "404":
        return (
            "note",
            "answers 404",
            f"nothing seems to take {target.signal} at this path: check {{variable}}",
        )
    if probe.detail in ("401", "403"):
        return "ok", "answers, and asks for credentials (doctor sends none)", ""
    if probe.detail.startswith("5"):
        return "note", f"answers {probe.detail}", "look at the receiver: it is up and not well"
    return "ok", "answers", ""


def _open_headers(target: _Target, address: Address, environ: Mapping[str, str]) -> Iterator[Finding]:
    if _setting(environ, target.signal, "HEADERS") and not address.tls and not _is_loopback(address.host):
        yield Finding(
            "export",
            "note",
            f"{target.signal}: {_PREFIX}_HEADERS travel to {address.host} unencrypted",
            "use https:// where the headers hold a key",
        )


def _prometheus(environ: Mapping[str, str]) -> Finding:
    """Whether the port is free, found out by asking for it: doctor opens none itself."""
    host = environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or "localhost"
    port = environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip() or "9464"
    address = Address.of(f"{'localhost' if host in ('0.0.0.0', '::') else host}:{port}")  # noqa: S104 - compared, not bound
    facts: dict[str, object] = {"signal": "metrics", "endpoint": f"{host}:{port}"}
    if address is None:
        return Finding(
            "export",
            "problem",
            f"OTEL_EXPORTER_PROMETHEUS_PORT is {port!r}",
            "a number from 0 to 65535",
            facts,
        )
    probe = ask({"prometheus": address._replace(path="/metrics")})["prometheus"]
    if probe.answer == "refused":
        return Finding("export", "ok", f"metrics: Prometheus on {host}:{port}, which is free", facts=facts)
    info = metrics.INFO.replace(".", "_")
    if probe.answer == "answers" and info in get(address._replace(path="/metrics")):
        return Finding(
            "export", "ok", f"metrics: served on {host}:{port} by a program with genai-otel", facts=facts
        )
    return Finding(
        "export",
        "problem",
        f"metrics: the Prometheus port {host}:{port} is taken by something else",
        "set OTEL_EXPORTER_PROMETHEUS_PORT to a free port",
        facts,
    )


def _named(signal: Signal, name: str) -> Finding:
    facts: dict[str, object] = {"signal": signal, "exporter": name}
    if name in {entry.name for entry in entry_points(group=f"opentelemetry_{signal}_exporter")}:
        return Finding("export", "ok", f"{signal}: {name}", facts=facts)
    text = f"OTEL_{signal.upper()}_EXPORTER names {name!r}, which is not installed"
    return Finding(
        "export", "problem", text, "allowed are otlp, console, none and what packages offer", facts
    )


def _console(config: Config, environ: Mapping[str, str], anything: bool) -> Iterator[Finding]:
    if config.console == "on" or (config.console == "auto" and not anything and not _says_none(environ)):
        advice = "" if anything else "set OTEL_EXPORTER_OTLP_ENDPOINT to send telemetry somewhere"
        yield Finding(
            "export",
            "ok",
            "traces: console view on stderr",
            advice,
            {"signal": "traces", "exporter": "console view"},
        )
    elif not anything:
        yield Finding(
            "export", "note", "no exporter is on: telemetry stays in the process", "see OTEL_TRACES_EXPORTER"
        )


def _says_none(environ: Mapping[str, str]) -> bool:
    return any(environ.get(f"OTEL_{signal}_EXPORTER", "").strip() for signal in ("TRACES", "METRICS"))


def _target(signal: Signal, protocol: str | None, environ: Mapping[str, str]) -> _Target:
    said = _setting(environ, signal, "PROTOCOL")
    protocol = protocol or _PROTOCOLS.get(said, said)
    own = f"{_PREFIX}_{signal.upper()}_ENDPOINT"
    if url := environ.get(own, "").strip():
        return _Target(signal, protocol, url, own)
    base = environ.get(f"{_PREFIX}_ENDPOINT", "").strip() or _DEFAULTS.get(protocol, "")
    path = f"/v1/{signal}" if protocol == "http" else ""
    return _Target(signal, protocol, base.rstrip("/") + path, f"{_PREFIX}_ENDPOINT")


def _setting(environ: Mapping[str, str], signal: Signal, what: str) -> str:
    own = environ.get(f"{_PREFIX}_{signal.upper()}_{what}", "").strip()
    return own or environ.get(f"{_PREFIX}_{what}", "").strip()


def _proxy(target: _Target) -> str:
    """The proxy that the exporter would use; asking it for the endpoint is more than a question."""
    parts = urlsplit(target.url)
    proxy = getproxies().get(parts.scheme, "") if target.protocol == "http" else ""
    return "" if not proxy or proxy_bypass(parts.hostname or "") else proxy


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
