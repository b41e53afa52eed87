"""What ``workflow``, ``agent``, ``tool`` and the others give: a decorator and a context manager in one.

It stands in the program's code long before ``setup()``, and in programs that never call it, so nothing of the engine is
loaded before a step is traced.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from genai_otel import safe
from genai_otel.annotate.kinds import Facts, Kind
from genai_otel.engine.switch import ON

if TYPE_CHECKING:
    from types import TracebackType

    from genai_otel.annotate.run import Run
    from genai_otel.annotate.step import Step
    from genai_otel.engine.origin import Origin

T = TypeVar("T")

_METHODS = ("__call__", "run")


class Annotation:
    """A step of the program's own: each call of what it decorates, or each ``with`` block, is one run of it.

    As a decorator it takes functions, coroutine functions, generator functions of both kinds, methods of all kinds and
    classes, and gives back the same: ``inspect`` sees no difference.
    """

    def __init__(self, kind: Kind, name: str | None, facts: Mapping[str, Any]) -> None:
        self.kind = kind
        self._name = name
        self._facts = {key: value for key, value in facts.items() if value is not None}
        self._origin: Origin | None = None
        self._entered: list[Step] = []

    # --- a decorator --------------------------------------------------------------------------------

    def __call__(self, target: T, /) -> T:
        if isinstance(target, type):
            return cast("T", self._on_class(target))
        inner = _function_of(target)
        if not callable(inner):
            raise TypeError(
                f"{self.kind.operation} decorates a function, a method or a class, not {type(target).__name__}"
            )
        return cast("T", _in_front(self._named(inner), target, inner))

    def _named(self, target: Any) -> Annotation:
        """One object may decorate several functions, each under its own name."""
        name = self._name or getattr(target, "__name__", None) or type(target).__name__
        return Annotation(self.kind, name, self._facts)

    def _on_class(self, target: type) -> type:
        """The method that runs it is the step: ``__call__``, or else ``run``.

        Making an object is no run of it, and of several methods that call each other only one may count.
        """
        for name in _METHODS:
            method: Any = next((vars(each)[name] for each in target.__mro__ if name in vars(each)), None)
            if method is not None:
                setattr(target, name, _in_front(self._named(target), method, _function_of(method)))
                return target
        raise TypeError(
            f"{target.__qualname__} has neither __call__ nor run: decorate the method that runs it"
        )

    # --- a context manager --------------------------------------------------------------------------

    def __enter__(self) -> Step:
        from genai_otel.annotate.step import Step

        step = Step(self.begin(None, (), {}) if ON else None)
        self._entered.append(step)
        return step

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left().end(error)

    async def __aenter__(self) -> Step:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left().end(error)

    def _left(self) -> Step:
        """The block that is left here; threads and tasks may be in other ones of the same object."""
        entered = self._entered
        if len(entered) == 1:
            return entered.pop()
        step = next((each for each in reversed(entered) if each.is_current), entered[-1])
        entered.remove(step)
        return step

    # --- a run --------------------------------------------------------------------------------------

    def begin(self, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Run | None:
        """Begin a run of the step; None where it is not traced."""
        from genai_otel.annotate.run import begin

        return begin(self, function, args, kwargs)

    @property
    def origin(self) -> Origin:
        """What is the same for every run."""
        if self._origin is None:
            from genai_otel import semconv
            from genai_otel.engine.origin import Origin

            kind = self.kind
            attributes: Facts = dict(self._facts)
            safe.clean(attributes)
            attributes[semconv.OPERATION_NAME] = kind.operation
            if self._name:
                attributes[kind.named] = safe.label(self._name)
            name = kind.operation if not self._name else f"{kind.operation} {attributes[kind.named]}"
            self._origin = Origin(name, attributes, kind=kind.span_kind)
        return self._origin


def _function_of(target: Any) -> Any:
    return target.__func__ if type(target) in (staticmethod, classmethod) else target


def _in_front(annotation: Annotation, function: Any, inner: Any) -> Any:
    from genai_otel.annotate.shapes import shape_of
    from genai_otel.engine.proxy import Proxy

    return Proxy(function, shape_of(annotation, inner), enabled=ON)
