"""Values that break who looks at them carelessly, and fail the test when code of ours runs code of theirs."""

from __future__ import annotations

import base64
import dataclasses
import enum
import inspect
import io
import math
import sys
import types
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pydantic
import pytest
import wrapt


def bite(answer: Any) -> Any:
    """A method that fails the test when our code, however indirectly, runs it; anybody else gets ``answer``."""

    def method(*_: object, **__: object) -> Any:
        frame = inspect.currentframe()
        while frame is not None:
            if frame.f_globals.get("__name__", "").startswith("genai_otel."):
                pytest.fail("code of the value was run")
            frame = frame.f_back
        return answer

    return method


BITES = {
    "__repr__": bite("evil"), "__str__": bite("evil"), "__bytes__": bite(b""), "__int__": bite(1), "__abs__": bite(1),
    "__eq__": bite(False), "__le__": bite(True), "__lt__": bite(True), "__ge__": bite(True), "__gt__": bite(True),
    "__hash__": bite(1), "__bool__": bite(True), "__len__": bite(1), "__index__": bite(1), "__float__": bite(1.0),
    "__iter__": bite(iter(())), "__next__": bite(1), "__reversed__": bite(iter(())), "__getitem__": bite(1),
    "__getattr__": bite(None), "keys": bite(()), "values": bite(()), "items": bite(()), "get": bite(None),
    "encode": bite(b""), "isascii": bite(True), "read": bite(b""), "readline": bite(b""), "tolist": bite([]),
}  # fmt: skip


def evil(name: str, *bases: type, **more: Any) -> Any:
    """A class whose every method bites."""
    return type(name, bases, {**BITES, **more})


Evil = evil("Evil", object, __class__=property(bite(object)))
EvilText = evil("EvilText", str)
EvilNumber = evil("EvilNumber", int)
EvilFloat = evil("EvilFloat", float)
EvilList = evil("EvilList", list)
EvilDict = evil("EvilDict", dict)
Array = evil("Array", object, shape=(1_000_000,))
File = evil("File", io.BytesIO)


class Colour(enum.Enum):
    RED = "red"
    BIG = 2**70
    MANY = ("a", "b")


class Role(str, enum.Enum):
    USER = "user"


class Level(enum.IntEnum):
    HIGH = 3


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    name: str
    parts: list[Any] = []
    nothing: None = None

    @property
    def computed(self) -> Any:
        return bite(1)()


@dataclasses.dataclass
class Data:
    name: str
    inner: Any = None


@dataclasses.dataclass(slots=True)
class Slotted:
    name: str
    password: str = "hunter2"


def endless() -> Iterator[int]:
    yield bite(1)()


def circular() -> list[Any]:
    inner: dict[str, Any] = {}
    outer: list[Any] = [inner]
    inner["outer"] = outer
    return outer


def deep(levels: int) -> Any:
    value: Any = "end"
    for _ in range(levels):
        value = [value]
    return value


POISON: dict[str, Any] = {
    "evil": Evil(),
    "evil class": Evil,
    "evil text": EvilText("text"),
    "evil number": EvilNumber(7),
    "evil float": EvilFloat(7.5),
    "evil list": EvilList(["a", 1]),
    "evil dict": EvilDict(a=1),
    "array": Array(),
    "file": File(b"content"),
    "generator": endless(),
    "iterator": iter([1, 2]),
    "range": range(10**12),
    "proxy of a dict": wrapt.ObjectProxy({"a": 1}),
    "mock": mock.MagicMock(),
    "mapping proxy": types.MappingProxyType({"a": 1}),
    "lambda": bite(1),
    "module": sys,
    "exception": ValueError("secret"),
    "huge": 2**70,
    "huger": -(10**5000),
    "nan": math.nan,
    "infinity": -math.inf,
    "complex": 1j,
    "surrogate": "a\ud800b",
    "text": "x" * 5_000_000,
    "wide text": "\N{GRINNING FACE}" * 500_000,
    "quotes": '"' * 100_000,
    "controls": "\x00\x1f" * 50_000,
    "bytes": b"\xff" * 1_000_000,
    "memory": memoryview(bytearray(1000))[::2],
    "released": memoryview(b"abc"),
    "base64": base64.b64encode(bytes(range(256)) * 40_000).decode(),
    "circular": circular(),
    "deep": deep(100_000),
    "wide": list(range(1_000_000)),
    "wide dict": dict.fromkeys(range(200_000), "v"),
    "odd keys": {1: "a", None: "b", (1, 2): "c", "k\udc00": "d", 2**70: "e", 1.5: "f"},
    "sets": {frozenset({1, 2}), "a"},
    "enum": Colour.RED,
    "big enum": Colour.BIG,
    "many enum": Colour.MANY,
    "model": Model.model_validate({"name": "n", "parts": [Evil()], "extra": "e"}),
    "data": Data("n", Evil()),
    "slotted": Slotted("n"),
    "none": None,
}
POISON["released"].release()
