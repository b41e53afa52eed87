"""What ``opentelemetry-instrument`` finds of ours: distro, configurator, pre-instrument hook and instrumentor.

Each of the four may be the only one that runs.  With two distributions installed the launcher takes the distro and
the configurator that it finds first, but always runs every pre-instrument hook and instrumentor; so each of ours
leads to the same idempotent set-up.  There is no module of environment variables: the launcher makes command line
options of them, and fails when two distributions name the same one.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.distro import BaseDistro
from opentelemetry.instrumentation.environment_variables import OTEL_PYTHON_CONFIGURATOR, OTEL_PYTHON_DISTRO
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from genai_otel import fence, instrumentors, runtime

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_NAME: Final = "genai_otel"


class Distro(BaseDistro):
    """Defaults of the environment, and instrumentors that start with their libraries instead of importing them."""

    chosen = False
    _set_configurator = False

    def _configure(self, **_: Any) -> None:
        Distro.chosen = True
        if not os.environ.get(OTEL_PYTHON_CONFIGURATOR):
            # A distro without its configurator is half a set-up; the launcher reads the variable next.
            os.environ[OTEL_PYTHON_CONFIGURATOR] = _NAME
            Distro._set_configurator = True

    def load_instrumentor(self, entry_point: EntryPoint, **_: Any) -> None:
        """Let an instrumentor start with its library; what it raises, then or now, stops no other."""
        handle = runtime.current()
        if handle is None or (handle.tracer_provider is not None and handle.config.instrument_libraries):
            instrumentors.consider(entry_point, launched=True)

    @classmethod
    def forget_configurator(cls) -> None:
        """Take the variable back: a child process may have another environment of packages."""
        if cls._set_configurator:
            cls._set_configurator = False
            os.environ.pop(OTEL_PYTHON_CONFIGURATOR, None)


class Configurator:
    """Sets everything up as ``setup()`` does, with the standard variables; what is wrong in one is a warning."""

    def configure(self, **_: Any) -> None:
        """Called by the launcher, once."""
        Distro.forget_configurator()
        _set_up()


def pre_instrument() -> None:
    """Called by the launcher whichever distro and configurator it took."""
    Distro.forget_configurator()
    if runtime.current() is None:
        fence.warn(
            "another distribution has set OpenTelemetry up; model calls are traced with its providers. To have "
            f"genai-otel do it, set {OTEL_PYTHON_DISTRO}={_NAME} and {OTEL_PYTHON_CONFIGURATOR}={_NAME}"
        )
        _set_up()


class Instrumentor(BaseInstrumentor):
    """The model clients as one instrumentor.

    ``instrument(tracer_provider=…, meter_provider=…, logger_provider=…)`` is ``genai_otel.setup()`` with these
    providers; ``uninstrument()`` takes our wrappers off the clients and leaves the rest running.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """None: the engine looks at each client when it is imported."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:
        from genai_otel.clients import CLIENTS
        from genai_otel.engine import patch

        names = ("tracer_provider", "meter_provider", "logger_provider")
        handle = runtime.setup(**{name: kwargs[name] for name in names if kwargs.get(name) is not None})
        patch.expect(CLIENTS, handle.config.mode)

    def _uninstrument(self, **_: Any) -> None:
        from genai_otel.engine import patch

        patch.uninstall()


def _set_up() -> None:
    if not Distro.chosen:
        instrumentors.leave_to_launcher()
    with fence.contain("launcher"):
        runtime.setup_from_launcher()
