"""The name clash: another distribution installs the import name ``genai_otel``, and two owners overwrite each other."""

from __future__ import annotations

from importlib import metadata

from genai_otel import fence

OTHER = "genai-otel-instrument"


def clash() -> str | None:
    """One sentence that says what to uninstall, or None when the import name is ours alone."""
    try:
        version = metadata.distribution(OTHER).version
    except metadata.PackageNotFoundError:
        return None
    return (
        f"{OTHER} {version} installs the same import name genai_otel and has mixed its files with ours: "
        f"pip uninstall -y {OTHER} genai-otel && pip install genai-otel"
    )


def check() -> None:
    """Say it once, where our code still runs."""
    with fence.contain("identity"):
        sentence = clash()
        if sentence is not None:
            fence.warn(sentence)
