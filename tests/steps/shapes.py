"""One piece of work in every shape that a function can have, each run to its end in the same way."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

Work = Callable[[str], Any]
"""What is done in the middle of it; what it gives, or raises, is what the function gives or raises."""


class Shape:
    """``make`` gives the function, bare or as a method; ``run`` calls it and gives what it gave."""

    def __init__(self, name: str, make: Callable[[Work, Callable[[Any], Any]], Any], is_kind: Any) -> None:
        self.name = name
        self.make = make
        self.is_kind = is_kind

    def run(self, function: Any, argument: str) -> Any:
        return finished(function(argument))


def finished(made: Any) -> Any:
    """The result of a call of any shape; of generators the list of their values."""
    if inspect.isawaitable(made):
        return asyncio.run(_awaited(made))
    if inspect.isasyncgen(made):
        return asyncio.run(_listed(made))
    return list(made) if inspect.isgenerator(made) else made


async def _awaited(made: Any) -> Any:
    return await made


async def _listed(made: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in made]


def _plain(work: Work, step: Callable[[Any], Any]) -> Any:
    @step
    def thing(argument: str) -> Any:
        return work(argument)

    return thing


def _coroutine(work: Work, step: Callable[[Any], Any]) -> Any:
    @step
    async def thing(argument: str) -> Any:
        await asyncio.sleep(0)
        return work(argument)

    return thing


def _generator(work: Work, step: Callable[[Any], Any]) -> Any:
    @step
    def thing(argument: str) -> Iterator[Any]:
        yield 1
        yield work(argument)

    return thing


def _async_generator(work: Work, step: Callable[[Any], Any]) -> Any:
    @step
    async def thing(argument: str) -> AsyncIterator[Any]:
        yield 1
        await asyncio.sleep(0)
        yield work(argument)

    return thing


def _method(work: Work, step: Callable[[Any], Any]) -> Any:
    class Owner:
        @step
        def thing(self, argument: str) -> Any:
            assert isinstance(self, Owner)
            return work(argument)

    return Owner().thing


def _class_method(work: Work, step: Callable[[Any], Any]) -> Any:
    class Owner:
        @step
        @classmethod
        def thing(cls, argument: str) -> Any:
            assert cls is Owner
            return work(argument)

    return Owner.thing


def _under_class_method(work: Work, step: Callable[[Any], Any]) -> Any:
    class Owner:
        @classmethod
        @step
        def thing(cls, argument: str) -> Any:
            assert cls is Owner
            return work(argument)

    return Owner().thing


def _static_method(work: Work, step: Callable[[Any], Any]) -> Any:
    class Owner:
        @step
        @staticmethod
        async def thing(argument: str) -> Any:
            return work(argument)

    return Owner().thing


def _class(work: Work, step: Callable[[Any], Any]) -> Any:
    @step
    class thing:  # noqa: N801 - the step is called what the class is called
        def run(self, argument: str) -> Any:
            return work(argument)

    return thing().run


def _callable(work: Work, step: Callable[[Any], Any]) -> Any:
    @step
    @dataclass
    class thing:  # noqa: N801 - see above
        size: int = 3

        async def __call__(self, argument: str) -> Any:
            return self.run(argument)

        def run(self, argument: str) -> Any:
            return work(argument)

    return thing(size=4)


SHAPES = (
    Shape("function", _plain, inspect.isfunction),
    Shape("coroutine", _coroutine, inspect.iscoroutinefunction),
    Shape("generator", _generator, inspect.isgeneratorfunction),
    Shape("async generator", _async_generator, inspect.isasyncgenfunction),
    Shape("method", _method, inspect.ismethod),
    Shape("classmethod", _class_method, inspect.ismethod),
    Shape("under classmethod", _under_class_method, inspect.ismethod),
    Shape("staticmethod", _static_method, inspect.iscoroutinefunction),
    Shape("class", _class, inspect.ismethod),
    Shape("callable class", _callable, callable),
)
