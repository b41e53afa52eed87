"""Our wrapper around a client's method, made of wrapt."""

from __future__ import annotations

from copy import deepcopy
from pkgutil import resolve_name
from types import ModuleType
from typing import Any

import wrapt

from genai_otel.engine.indirect import wrapper_of
from genai_otel.spec import ClientSpec, Endpoint

_FunctionWrapper: Any = wrapt.FunctionWrapper  # a C class; its stubs declare it generic, which it is not
_BoundFunctionWrapper: Any = wrapt.BoundFunctionWrapper

_Reduced = tuple[Any, tuple[Any, ...]]


class _Bound(_BoundFunctionWrapper):
    """The method of an instance or a class; pickled and copied as the original is, which worker processes need."""

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        owner = self._self_instance
        return self if owner is None else getattr(deepcopy(owner, memo), self.__name__)

    def __reduce_ex__(self, _: Any) -> _Reduced:
        if self._self_instance is None:
            return _by_name(self)
        return getattr, (self._self_instance, self.__name__)


def _by_name(function: Any) -> _Reduced:
    return resolve_name, (f"{function.__module__}:{function.__qualname__}",)


class Wrapped(_FunctionWrapper):
    """A client's method with the engine in front; told from other people's wrappers by its class."""

    __bound_function_wrapper__ = _Bound

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Any:
        return self

    def __reduce_ex__(self, _: Any) -> _Reduced:
        return _by_name(self)

    def __init__(self, original: Any, spec: ClientSpec, endpoint: Endpoint) -> None:
        on = [True]  # wrapt looks at each call whether it is true, and lets nobody set another one later
        super().__init__(original, wrapper_of(spec, endpoint), enabled=on)  # pyright: ignore[reportUnknownMemberType] - see above
        self._self_on = on

    @property
    def on(self) -> bool:
        """Whether the engine is in front."""
        return bool(self._self_on)

    def pass_through(self) -> None:
        """Take the engine out where the wrapper itself cannot be taken away."""
        self._self_on.clear()


def resolve(module: ModuleType, path: str) -> tuple[Any, str, Any] | None:
    """(parent, attribute, original) of ``path`` in ``module``, or None when it is not there."""
    try:
        return wrapt.resolve_path(module, path)
    except AttributeError:
        return None
