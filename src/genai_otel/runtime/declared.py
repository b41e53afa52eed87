"""A declarative configuration file: where ``OTEL_CONFIG_FILE`` names one, it alone says what the providers are.

The file is read by the OpenTelemetry project's own package, which sets the global providers; we use them like those
that a program has set itself.  As the SDK says, the other variables then hold for nothing that the file can say.
"""

from __future__ import annotations

from collections.abc import Mapping

VARIABLE = "OTEL_CONFIG_FILE"


def configure(environ: Mapping[str, str]) -> tuple[dict[str, str], str | None]:
    """Set the providers as the file says.

    Returns the variables that are left to say something, and the sentence for the user when that was not possible;
    then the variables hold as if there were no file.
    """
    path = environ.get(VARIABLE, "").strip()
    if not path:
        return dict(environ), None
    try:
        from opentelemetry.configuration import (  # pyright: ignore[reportMissingImports] - an optional package
            configure_sdk,  # pyright: ignore[reportUnknownVariableType]
            load_config_file,  # pyright: ignore[reportUnknownVariableType]
        )
    except ImportError:
        return dict(environ), (
            f"{VARIABLE} is {path!r}, but the package that reads it is not installed; the other OTEL_* variables hold. "
            f"Install it with pip install opentelemetry-configuration"
        )
    try:
        configure_sdk(load_config_file(path))
    except Exception as error:  # noqa: BLE001 - a file may be wrong in any way
        return dict(environ), f"{VARIABLE} is {path!r}, which cannot be used: {type(error).__name__}: {error}"
    off = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
    return {**environ, **off}, None
