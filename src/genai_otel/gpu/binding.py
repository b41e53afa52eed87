"""NVML's Python binding, the module ``pynvml``: loaded late, and every error of it as one kind.

What the binding raises cannot be relied on: its errors are not hashable, one is not of the common class, and functions
differ by version.  :meth:`Nvml.call` turns all of it into :class:`NvmlError`.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import sys
from typing import Any, Final

# Codes of nvml.h that are more than a failure.
UNINITIALIZED: Final = 1
INVALID_ARGUMENT: Final = 2
NOT_SUPPORTED: Final = 3
NO_PERMISSION: Final = 4
NOT_FOUND: Final = 6
DRIVER_NOT_LOADED: Final = 9
NO_LIBRARY: Final = 12
NO_FUNCTION: Final = 13
GPU_IS_LOST: Final = 15
RESET_REQUIRED: Final = 16
OTHER_DRIVER: Final = 18
NO_DATA: Final = 21
OTHER_VERSION: Final = 25
DEPRECATED: Final = 26

ABSENT: Final = frozenset({INVALID_ARGUMENT, NOT_SUPPORTED, NO_FUNCTION, OTHER_VERSION, DEPRECATED})
"""The GPU, the driver or its library does not have what was asked for, and will not have it later."""
QUIET: Final = frozenset({0, NOT_FOUND, NO_DATA})
"""There is nothing to tell just now; the binding makes an error of success without samples, too."""
LOST: Final = frozenset({GPU_IS_LOST, RESET_REQUIRED})
GONE: Final = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, OTHER_DRIVER})
"""No GPU can be read until NVML is initialised again."""


class NvmlError(Exception):
    """NVML did not answer: its ``code``, -1 where it is an error of the binding, and the ``kind`` to count it by."""

    def __init__(self, code: int, kind: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.kind = kind


class Nvml:
    """The binding.  Raises :class:`NvmlError` from every method."""

    def __init__(self) -> None:
        self._module: Any = _load()

    def call(self, function: str, *arguments: object) -> Any:
        """What a function of the binding returns."""
        try:
            return getattr(self._module, function)(*arguments)
        except Exception as error:  # noqa: BLE001 - the binding's errors have no class in common
            raise self._error(error) from None

    def kind(self, code: int) -> str:
        """The name of an error's class in the binding."""
        classes: dict[int, type] = getattr(self._module.NVMLError, "_valClassMapping", {})
        found = classes.get(code)
        return found.__name__ if found else "NVMLError"

    def constant(self, name: str) -> Any:
        """A type or number of the binding."""
        try:
            return getattr(self._module, name)
        except AttributeError as error:
            raise self._error(error) from None

    def _error(self, error: Exception) -> NvmlError:
        code = getattr(error, "value", -1)
        # A function that the library does not have is told in three ways.
        if type(error).__name__ == "NVMLLibraryMismatchError" or isinstance(error, AttributeError):
            code = NO_FUNCTION
        text = f"{type(error).__name__}: "
        with contextlib.suppress(Exception):  # its own text asks the library
            text += str(error)
        return NvmlError(code if isinstance(code, int) else -1, type(error).__name__, text)


def _load() -> Any:
    """The binding, without the warning that the package ``pynvml`` gives of itself: the program has not imported it.

    A filter of warnings would be one of the whole process, for a while in which other threads set theirs.
    """
    if "pynvml" not in sys.modules:
        _look_for_library()
    finder: Any = getattr(sys.modules.get("_pynvml_redirector"), "finder", None)
    if hasattr(finder, "has_warned_pynvml"):
        finder.has_warned_pynvml = True
    try:
        return importlib.import_module("pynvml")
    except Exception as error:  # noqa: BLE001 - a broken package may raise anything
        raise NvmlError(NO_LIBRARY, type(error).__name__, f"pynvml cannot be imported: {error}") from None


def _look_for_library() -> None:
    """Where there is no driver, importing the binding would cost a tenth of a second and some megabytes for nothing."""
    if sys.platform != "linux":
        return  # the binding knows where it is
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        kind = "NVMLError_LibraryNotFound"
        raise NvmlError(NO_LIBRARY, kind, f"{kind}: NVML Shared Library Not Found") from None
