"""Objects that break whoever looks at them too closely. Telemetry must neither fail, hang, nor consume them."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any, NoReturn


class Touched(Exception):
    """Someone called what must not be called."""


def _raise(*_: object, **__: object) -> NoReturn:
    raise Touched("telemetry looked into a user's object")


class Raises:
    """Everything that can be asked of it raises."""

    __repr__ = __str__ = __len__ = __iter__ = __bool__ = __eq__ = __hash__ = __int__ = __float__ = _raise  # pyright: ignore[reportAssignmentType] - the point of it
    __getattr__ = _raise


class Sleeps:
    """Looks harmless, and takes a second per look."""

    def __repr__(self) -> str:
        time.sleep(1.0)
        return "slow"

    __str__ = __repr__


class LyingInt(int):
    """A number whose text, comparison and arithmetic raise."""

    __repr__ = __str__ = __format__ = __eq__ = __lt__ = __gt__ = __add__ = __hash__ = _raise  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] - the point of it


class LyingStr(str):
    """A text whose methods raise."""

    __slots__ = ()
    __repr__ = __str__ = __format__ = encode = lower = startswith = split = _raise  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] - the point of it


class LyingDict(dict[str, Any]):
    """A mapping whose reading methods raise."""

    items = keys = values = get = __iter__ = __repr__ = _raise  # pyright: ignore[reportAssignmentType, reportIncompatibleMethodOverride] - the point of it


class RaisingProperty:
    """Attributes that exist and raise when read."""

    @property
    def model(self) -> str:
        raise Touched("model")

    @property
    def usage(self) -> NoReturn:
        raise Touched("usage")


class Impatient:
    """Raises what no `except Exception` catches."""

    def __repr__(self) -> str:
        raise KeyboardInterrupt

    __str__ = __repr__


class Once:
    """An iterator, and a file, that know whether someone has read from them."""

    def __init__(self, *values: object) -> None:
        self._values = iter(values)
        self.consumed = 0

    def __iter__(self) -> Iterator[object]:
        return self

    def __next__(self) -> object:
        self.consumed += 1
        return next(self._values)

    def read(self, size: int = -1) -> bytes:
        self.consumed += 1
        return b"x" * max(size, 1)


def cycle(times: int = 1) -> dict[str, Any]:
    """A dictionary that holds itself, through a list."""
    whole: dict[str, Any] = {"name": "cycle"}
    whole["again"] = [whole] * times
    return whole


def deep(levels: int = 5_000) -> list[Any]:
    """Lists in lists, deeper than any recursion limit."""
    inner: list[Any] = []
    for _ in range(levels):
        inner = [inner]
    return inner


EVIL: dict[str, Callable[[], Any]] = {
    "raises": Raises,
    "sleeps": Sleeps,
    "lying int": lambda: LyingInt(7),
    "lying str": lambda: LyingStr("text"),
    "lying dict": lambda: LyingDict(model="gpt-4o-mini"),
    "raising property": RaisingProperty,
    "once": lambda: Once("a", "b"),
    "generator": lambda: (letter for letter in "abc"),
    "file": lambda: io.BytesIO(b"content"),
    "cycle": cycle,
    "cycles": lambda: cycle(5),  # more ways through it than anyone can go
    "deep": deep,
    "wide": lambda: {str(number): number for number in range(100_000)},
    "huge text": lambda: "x" * 10_000_000,
    "huge int": lambda: 2**70,
    "huger int": lambda: 10**5_000,
    "surrogate": lambda: "half a pair \ud83d",
    "nul": lambda: "a\0b",
    "nan": lambda: float("nan"),
    "infinity": lambda: float("-inf"),
    "bytes": lambda: b"\xff\xfe",
    "type": lambda: Raises,
    "not json": lambda: {("a", 1): {1, 2}, None: object()},
}
"""Name to maker: `@pytest.mark.parametrize("make", EVIL.values(), ids=EVIL.keys())`."""
