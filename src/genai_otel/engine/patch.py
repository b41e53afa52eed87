"""Puts the engine in front of the endpoints of every client spec, when the client's module is imported.

A module that the program has not imported is not imported by us.  Each target is patched on its own: one that is
missing leaves the others.  We only ever take away a wrapper of our own; when another tool has wrapped it in turn, it
is switched to pass through instead.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from importlib import metadata
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from genai_otel import fence, imports
from genai_otel.engine import classes, native
from genai_otel.engine.native import release

if TYPE_CHECKING:
    from genai_otel.clients import Client
    from genai_otel.engine.wrapped import Wrapped
    from genai_otel.spec import ClientSpec, Endpoint, Mode

State = Literal["patched", "waiting", "skipped"]


@dataclass(frozen=True)
class Patch:
    """One target: ``waiting`` until its module is imported, then ``patched`` or ``skipped`` with the reason."""

    client: str
    target: str
    state: State
    reason: str = ""


_lock = threading.RLock()
_specs: dict[str, ClientSpec] = {}
_hooked: set[str] = set()
_patches: dict[str, Patch] = {}
_applied: dict[str, tuple[Any, str, Any, Wrapped]] = {}
_on = False


def _wrap(_: str) -> Mode:
    return "wrap"


def expect(clients: Iterable[Client], mode: Callable[[str], Mode] = _wrap) -> None:
    """:func:`install` the spec of each client as soon as the program imports it."""
    global _on  # noqa: PLW0603 - see install
    with _lock:
        _on = True
    for client in clients:
        for package in client.packages:
            imports.before(package, partial(_expected, client, mode))


def _expected(client: Client, mode: Callable[[str], Mode]) -> None:
    if _on:
        install((client.load(),), mode)


def install(specs: Iterable[ClientSpec], mode: Callable[[str], Mode] = _wrap) -> None:
    """Patch the endpoints of ``specs`` now or when their modules are imported.  Idempotent and thread-safe.

    ``mode`` says of a client's name who traces it; only those that we do are patched.
    """
    global _on  # noqa: PLW0603 - whether import hooks that were registered once may act
    with _lock:
        _on = True
        for spec in specs:
            if native.settle(spec, mode(spec.name)) != "wrap":
                continue
            _specs[spec.name] = spec
            for module in {endpoint.target.partition(":")[0] for endpoint in spec.endpoints}:
                _hook(module)


def instrument(module: ModuleType | str, spec: ClientSpec) -> None:
    """Trace a client that is not among the built-in ones, as ``examples/own_client`` shows.

    ``module``, or its name, holds the targets of ``spec`` that name no module themselves (``"Client.ask"``).  Where it
    is imported already it is patched at once, else when it is.  A target that is not there is named by a warning.
    """
    name = module if isinstance(module, str) else module.__name__
    install((replace(spec, endpoints=tuple(_within(name, endpoint) for endpoint in spec.endpoints)),))
    for patch in installed():
        if patch.client == spec.name and patch.state == "skipped":
            fence.warn(f"calls of {patch.target} are not traced: {patch.reason}")


def _within(module: str, endpoint: Endpoint) -> Endpoint:
    return endpoint if ":" in endpoint.target else replace(endpoint, target=f"{module}:{endpoint.target}")


def uninstall() -> None:
    """Take our wrappers away where they are outermost and switch the others to pass through."""
    global _on  # noqa: PLW0603 - see install
    with _lock:
        _on = False
        for parent, name, original, wrapped in _applied.values():
            if parent.__dict__.get(name) is wrapped:
                setattr(parent, name, original)
            wrapped.pass_through()  # others may hold it: who has wrapped it in turn, and copies of the method
        _applied.clear()
        _patches.clear()
        classes.restore()
        native.restore()


def installed() -> tuple[Patch, ...]:
    """The state of every target of every spec, for people to look at."""
    with _lock:
        waiting = (
            Patch(spec.name, endpoint.target, "waiting")
            for spec in _specs.values()
            for endpoint in spec.endpoints
        )
        return tuple(_patches.get(patch.target, patch) for patch in waiting) if _on else ()


def _hook(module: str) -> None:
    loaded = sys.modules.get(module)
    if loaded is not None and module in _hooked:
        _imported(loaded)
    elif module not in _hooked:
        _hooked.add(module)
        imports.when_imported(module, _imported)


def _imported(module: ModuleType) -> None:
    with _lock, fence.contain("engine.patch"):
        if not _on:
            return
        for spec in _specs.values():
            reason = None
            for endpoint in spec.endpoints:
                owner, _, path = endpoint.target.partition(":")
                if owner == module.__name__ and endpoint.target not in _patches:
                    reason = _too_old(spec) if reason is None else reason
                    _patches[endpoint.target] = _apply(spec, endpoint, module, path, reason)


def _apply(spec: ClientSpec, endpoint: Endpoint, module: ModuleType, path: str, reason: str) -> Patch:
    if reason:
        return Patch(spec.name, endpoint.target, "skipped", reason)
    from genai_otel.engine.wrapped import (
        Wrapped,
        resolve,
    )  # wrapt, which costs too much to be imported at set-up

    found = resolve(module, path) or (resolve(module, endpoint.otherwise) if endpoint.otherwise else None)
    if found is None:
        return Patch(spec.name, endpoint.target, "skipped", "not in this version of the client")
    parent, name, original = found
    # A copy of a method that we wrapped: another class's, or one bound to an instance.
    shared = getattr(original, "_self_parent", original)
    if isinstance(shared, Wrapped):
        if shared.on:
            return Patch(spec.name, endpoint.target, "patched", "shares a wrapper of ours")
        original = original.__wrapped__
    _tell_of_others(spec, original)
    wrapped = Wrapped(original, spec, endpoint)
    setattr(parent, name, wrapped)
    _applied[endpoint.target] = (parent, name, original, wrapped)
    return Patch(spec.name, endpoint.target, "patched")


def _tell_of_others(spec: ClientSpec, original: Any) -> None:
    other = getattr(getattr(original, "_self_wrapper", None), "__module__", None)
    if isinstance(other, str) and not other.startswith("genai_otel."):  # a copy of what we wrapped ourselves
        fence.warn(
            f"{spec.name} is also instrumented by {other}; its spans stay and each call is still counted once. "
            f"To avoid its cost, add its name to OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
        )


def _too_old(spec: ClientSpec) -> str:
    """Why the installed version of a client cannot be patched; empty when it can."""
    floor = re.search(r">=\s*([\d.]+)", spec.requires)
    distribution = re.match(r"[\w.-]+", spec.requires)
    if floor is None or distribution is None:
        return ""
    try:
        version = metadata.version(distribution[0])
    except metadata.PackageNotFoundError:
        return ""  # vendored or on the path without metadata: try, each target guards itself
    if release(version) >= release(floor[1]):
        return ""
    reason = f"{distribution[0]} {version} is older than {floor[1]}"
    fence.warn(f"calls of {spec.name} are not traced: {reason}; upgrade with pip install '{spec.requires}'")
    return reason
