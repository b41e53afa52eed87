"""Activate every installed OpenTelemetry instrumentor, each when the library that it instruments has been imported.

The launcher and ``setup()`` go through here, so that both give the same.  Nothing is imported for a library that the
program does not use, not even the base class of the instrumentors (41 ms of CPU).  Which module an instrumentor
waits for follows from its entry point's name; the exceptions stand in a table, and for others the packages that its
distribution says it instruments are asked.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from functools import partial
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any, Final, NamedTuple

from genai_otel import fence, imports, web

GROUP: Final = "opentelemetry_instrumentor"
CONVENTIONS: Final = "OTEL_SEMCONV_STABILITY_OPT_IN"

# An entry point of the OpenTelemetry project that instruments the module of its own name.
_OWN_NAME: Final = frozenset(
    """
    aio_pika aiobotocore aiokafka aiopg asyncclick asyncio asyncpg boto3 botocore cassandra celery click
    confluent_kafka django falcon fastapi flask httpx httpx2 jinja2 kafka pika psycopg psycopg2 pymemcache pymongo
    pymssql pymysql pyramid redis remoulade requests sqlalchemy sqlite3 starlette structlog threading tornado urllib3
    """.split()  # noqa: SIM905 - forty quoted words are harder to read
)
# One that instruments another; "sys" stands for the process, which is there at once.
_MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "aiohttp_client": ("aiohttp",),
    "aiohttp_server": ("aiohttp",),
    "exceptions": ("sys",),
    "grpc_aio_client": ("grpc",),
    "grpc_aio_server": ("grpc",),
    "grpc_client": ("grpc",),
    "grpc_server": ("grpc",),
    "mysql": ("mysql.connector",),
    "mysqlclient": ("MySQLdb",),
    "system_metrics": ("sys",),
    "tortoiseorm": ("tortoise",),
    "urllib": ("urllib.request",),
}
# Instrumenting without it would configure the library with empty settings, for good.
_NEEDS_VARIABLE: Final[Mapping[str, str]] = {"django": "DJANGO_SETTINGS_MODULE"}
# Covered by a module of ours.
_OURS: Final[Mapping[str, Callable[[Mapping[str, Any]], None]]] = {
    "opentelemetry.instrumentation.fastapi:FastAPIInstrumentor": web.cover_fastapi,
}
_LOGGING: Final = "opentelemetry.instrumentation.logging:LoggingInstrumentor"  # belongs to genai_otel.logs


class Instrumentation(NamedTuple):
    """What became of one installed instrumentor; ``state`` is waiting, active, skipped or failed."""

    name: str
    distribution: str
    state: str
    reason: str


class _Candidate:
    """One instrumentor on its way to being active."""

    def __init__(self, entry_point: EntryPoint, targets: Collection[str]) -> None:
        self.entry_point = entry_point
        self.targets = targets
        self.state, self.reason = "waiting", "for the import of " + " or ".join(sorted(targets))
        # The instrumentor, where it came from a copy of its module that only we hold.
        self.private: Any = None
        self._ready = False

    def wait(self) -> None:
        # Its own module, too: while that one is being imported nothing can be taken from it.
        for name in (*self.targets, self.entry_point.module):
            imports.when_imported(name, partial(self.on_import, name))

    def on_import(self, name: str, module: ModuleType) -> None:
        code = self.entry_point.module
        if name in self.targets:
            self._ready = True
        if name != code and code in sys.modules and imports.importing(sys.modules[code]):
            return
        if name == code and self.private is not None:
            _share(self, module)
        with _lock:
            if not self._ready or self.state != "waiting":
                return
            self.state, self.reason = "failed", "it raised an error"
        with fence.contain(f"instrumentors.{self.entry_point.name}"):
            self.state, self.reason = self._activate(module)

    def _activate(self, module: ModuleType) -> tuple[str, str]:
        name = self.entry_point.name
        variable = _NEEDS_VARIABLE.get(_normal(name))
        if variable is not None and not os.environ.get(variable):
            return _skip(name, f"{variable} was not set when {module.__name__} was imported")
        cover = _OURS.get(self.entry_point.value)
        if cover is not None:
            cover(_providers)
            return "active", ""
        return self._instrument()

    def _instrument(self) -> tuple[str, str]:
        instrumentor = self._load()()
        if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            return "active", "by the program"
        from opentelemetry.instrumentation.dependencies import DependencyConflictError

        try:
            instrumentor.instrument(raise_exception_on_conflict=True, **_providers)
        except DependencyConflictError as conflict:
            return _skip(self.entry_point.name, str(conflict))
        return "active", ""

    def _load(self) -> Any:
        """The instrumentor's class, without importing a library that only its siblings in the module need.

        httpx and httpx2 have one module for both, which would import the one that the program does not use.
        """
        code = self.entry_point.module
        siblings = [other for other in _candidates.values() if other.entry_point.module == code]
        unwanted = {name for other in siblings for name in other.targets if name not in sys.modules}
        if not unwanted or code in sys.modules:
            return self.entry_point.load()
        with imports.hidden(unwanted) as missed:
            loaded = self.entry_point.load()
        if missed:
            # It is incomplete, so nobody else may find it: whoever imports it next, we too, gets a whole one.
            parent, _, child = code.rpartition(".")
            sys.modules.pop(code, None)
            vars(sys.modules[parent]).pop(child, None)
            self.private = loaded()
            for other in siblings:
                imports.when_imported(code, partial(other.on_import, code))
        return loaded


_candidates: dict[tuple[str, str], _Candidate] = {}
_skipped: dict[tuple[str, str], Instrumentation] = {}
_providers: dict[str, Any] = {}
_rivals: frozenset[str] = frozenset()
_left = False
_lock = threading.Lock()


def activate(
    disabled: Collection[str],
    *,
    rivals: Iterable[str] = (),
    providers: Mapping[str, Any] | None = None,
) -> None:
    """Let every installed instrumentor start with its library; again for one that is known does nothing.

    ``disabled`` are entry point names (``*`` is all), ``rivals`` the names under which others instrument the clients
    that we wrap.  ``providers`` (``tracer_provider``, ``meter_provider``) are for a program that did not make its own
    the global ones.  An instrumentor that fails is named in one line and leaves the others working.
    """
    global _rivals  # noqa: PLW0603 - the launcher's entry points come one by one and need it, too
    with fence.contain("instrumentors"):
        _rivals = frozenset(map(_normal, rivals))
        _providers.update(providers or {})
        names = frozenset(map(_normal, disabled))
        if _left or "*" in names:
            return
        choose_conventions(os.environ)
        for entry_point in _entry_points():
            if _normal(entry_point.name) not in names:
                consider(entry_point)


def leave_to_launcher() -> None:
    """Activate nothing from now on: a launcher with another distro activates all that are installed, at once."""
    global _left  # noqa: PLW0603 - read by the set-up that follows
    _left = True


def consider(entry_point: EntryPoint, *, launched: bool = False) -> None:
    """Let one instrumentor start with its library.

    ``launched`` says that ``opentelemetry-instrument`` asks for it: one that names no library is then active at once.
    """
    with fence.contain(f"instrumentors.{entry_point.name}"):
        if entry_point.value.startswith("genai_otel.") or entry_point.value == _LOGGING:
            return
        if _normal(entry_point.name) in _rivals:
            _leave(entry_point, _RIVAL)
            return
        targets = _targets(entry_point) or ({"sys"} if launched else set[str]())
        if not targets:
            _leave(entry_point, "it names no library; call its instrument() if you want it")
            return
        candidate = _Candidate(entry_point, targets)
        if _candidates.setdefault((entry_point.name, entry_point.value), candidate) is candidate:
            candidate.wait()


def _leave(entry_point: EntryPoint, reason: str) -> None:
    left = Instrumentation(entry_point.name, _distribution(entry_point), "skipped", reason)
    _skipped[entry_point.name, entry_point.value] = left
    fence.info(f"the instrumentation {left.name!r} of {left.distribution} is not activated: {reason}")


def installed() -> tuple[Instrumentation, ...]:
    """What became of every instrumentor that was found."""
    known = (
        Instrumentation(each.entry_point.name, _distribution(each.entry_point), each.state, each.reason)
        for each in _candidates.values()
    )
    return (*known, *_skipped.values())


def choose_conventions(environ: MutableMapping[str, str]) -> None:
    """Switch on the new HTTP and database conventions, unless the user chose for that signal.

    They are read when the first instrumentor loads.  ``default`` in the variable keeps the old names.
    """
    chosen = [value.strip() for value in environ.get(CONVENTIONS, "").split(",") if value.strip()]
    if "default" in chosen:
        return
    signals = {value.partition("/")[0] for value in chosen}
    added = [name for name in ("http", "database") if name not in signals]
    environ[CONVENTIONS] = ",".join([*chosen, *added])


_RIVAL: Final = "genai-otel traces this client itself (a call counts once even if the program activates both)"


def _entry_points() -> Iterable[EntryPoint]:
    """The entry points of all instrumentors; the look-up is shared with the OpenTelemetry API and SDK."""
    from importlib import metadata

    cached: Any = metadata
    with contextlib.suppress(ImportError):  # it is no public module
        import opentelemetry.util._importlib_metadata as cached
    return cached.entry_points(group=GROUP)


def _targets(entry_point: EntryPoint) -> set[str]:
    """The modules whose import makes the instrumentor useful."""
    name = _normal(entry_point.name)
    if name in _MODULES:
        return set(_MODULES[name])
    if name in _OWN_NAME:
        return {name}
    return {module for package in _instruments(entry_point) for module in _modules(package)}


def _instruments(entry_point: EntryPoint) -> set[str]:
    """The distributions that the instrumentor's distribution says it instruments."""
    distribution = entry_point.dist
    packages = set[str]()
    for requirement in (distribution.requires or ()) if distribution is not None else ():
        name, _, marker = requirement.partition(";")
        if "extra" in marker and "instruments" in marker:
            packages.add(_leading_name(name))
    return packages


def _modules(package: str) -> set[str]:
    """The top-level modules of a distribution; none when it is not installed."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution(package)
    except PackageNotFoundError:
        return set()
    listed = (found.read_text("top_level.txt") or "").split()
    return {name for name in listed if not name.startswith("_")} or {_normal(package)}


def _leading_name(requirement: str) -> str:
    text = requirement.strip()
    end = next((i for i, char in enumerate(text) if not (char.isalnum() or char in "-_.")), len(text))
    return text[:end]


def _skip(name: str, reason: str) -> tuple[str, str]:
    fence.warn(f"the instrumentation {name!r} is not active: {reason}")
    return "skipped", reason


def _share(candidate: _Candidate, module: ModuleType) -> None:
    """Make the instrumentor that works already the one instance of its class in the new copy of its module."""
    with fence.contain("instrumentors.share"):
        getattr(module, candidate.entry_point.attr)._instance = candidate.private  # noqa: SLF001 - see docstring


def _distribution(entry_point: EntryPoint) -> str:
    distribution = entry_point.dist
    return distribution.name if distribution is not None else entry_point.module


def _normal(name: str) -> str:
    return name.strip().lower().replace("-", "_")
