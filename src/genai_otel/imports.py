"""Run a function as soon as a module has been imported, without importing it; keep one from being imported by us.

The one place that knows the import system.  A finder of ours stands first in ``sys.meta_path``; for a module that
somebody waits for it asks the finders behind it and puts a loader in front of the real one, which runs the hooks
when the module's code has run.  By then the module carries its real loader again.

wrapt has such hooks too.  These exist because importing wrapt costs 56 ms of CPU (it imports asyncio), the whole
budget of ``setup()``, and because its hooks run at once for a module that is only half imported.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from genai_otel import fence

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

Hook = Callable[[ModuleType], None]

_waiting: dict[str, list[Hook]] = {}
_before: dict[str, list[Callable[[], None]]] = {}
# Reentrant, because a signal handler may import while this thread holds it.
_lock = threading.RLock()


class _Hidden(threading.local):
    """The modules that this thread must not import, and those of them that it asked for."""

    names: Collection[str] = ()
    asked: set[str]


_hidden = _Hidden()


def when_imported(name: str, hook: Hook) -> None:
    """Call ``hook(module)`` once, after the code of module ``name`` has run.

    At once and in this thread when the module is imported already; in the thread that imports it otherwise.  An
    exception of the hook is contained: it fails neither the import nor the hooks after it.
    """
    with _lock:
        _stand_first()
        module = sys.modules.get(name)
        if module is None:
            _waiting.setdefault(name, []).append(hook)
            return
    if importing(module):
        # Its loader runs already and cannot be replaced; another thread waits until it is done.
        threading.Thread(
            target=_run_when_complete, args=(name, hook), name="genai_otel-import", daemon=True
        ).start()
    else:
        _run(hook, module)


def before(name: str, hook: Callable[[], None]) -> None:
    """Call ``hook()`` once, before the code of module ``name`` runs, or at once when that is there already.

    It is contained as the hooks of :func:`when_imported` are, and runs too where somebody only asks whether there is
    such a module.
    """
    with _lock:
        _stand_first()
        if name not in sys.modules:
            _before.setdefault(name, []).append(hook)
            return
    with fence.contain("imports"):
        hook()


def importing(module: ModuleType) -> bool:
    """Whether the module's code is still running, here or in another thread."""
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def imported(name: str) -> bool:
    """Whether the module is there and complete."""
    module = sys.modules.get(name)
    return module is not None and not importing(module)


@contextlib.contextmanager
def hidden(names: Collection[str]) -> Generator[set[str], None, None]:
    """In this thread, importing one of ``names`` for the first time fails as if it were not installed.

    For code of others that imports more than is wanted and can do without.  Gives the set of the names that were
    asked for, filled as it goes.  Other threads, and modules that are imported already, are not affected.
    """
    with _lock:
        _stand_first()
    before, asked = _hidden.names, set[str]()
    _hidden.names, _hidden.asked = names, asked
    try:
        yield asked
    finally:
        _hidden.names = before


def _stand_first() -> None:
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _run_when_complete(name: str, hook: Hook) -> None:
    with fence.contain("imports"):
        # Waits for the lock of the module and then returns it; imports nothing that was not being imported.
        _run(hook, importlib.import_module(name))


def _run(hook: Hook, module: ModuleType) -> None:
    with fence.contain("imports"):
        hook(module)


class _Finder:
    """Stands first in ``sys.meta_path``; finds nothing itself."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name in _hidden.names:
            _hidden.asked.add(name)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if name in _before:
            for hook in _before.pop(name, ()):
                with fence.contain("imports"):
                    hook()
        if name not in _waiting:
            return None
        finders = list(sys.meta_path)
        for finder in finders[finders.index(self) + 1 :] if self in finders else ():
            find = getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find is not None else None
            if spec is not None:
                if hasattr(spec.loader, "exec_module") and not isinstance(spec.loader, _Loader):
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader:
    """Stands in for the real loader until the module's code has run."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        # For tools that look at a spec without importing (pkgutil, runpy, inspect).
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The program must see the loader that it would see without us, its own code at import included.
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        name = module.__name__
        with _lock:
            hooks = _waiting.pop(name, [])
        for hook in hooks:
            _run(hook, sys.modules.get(name, module))  # a module may put another object in its place
