"""A function with code of ours in front, made of wrapt: to the program it is the function that it was.

``inspect`` sees the original, so a coroutine function stays one; methods are bound as they were; it is pickled and
copied as the original is, which worker processes need.
"""

from __future__ import annotations

from copy import deepcopy
from pkgutil import resolve_name
from typing import Any

import wrapt

_FunctionWrapper: Any = wrapt.FunctionWrapper  # a C class; its stubs declare it generic, which it is not
_BoundFunctionWrapper: Any = wrapt.BoundFunctionWrapper

_Reduced = tuple[Any, tuple[Any, ...]]


class _Bound(_BoundFunctionWrapper):
    """The method of an instance or a class."""

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


class Proxy(_FunctionWrapper):
    """A function in front of which something stands."""

    __bound_function_wrapper__ = _Bound

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Any:
        return self

    def __reduce_ex__(self, _: Any) -> _Reduced:
        return _by_name(self)
