"""How a call ends whose result the user goes on to read: it breaks, he leaves, or he closes what he reads from."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from genai_otel import fence
from genai_otel.engine.call import Call

# A connection that broke below the protocol, by class name: the libraries that define them are not imported by us.
_BROKEN: Final = frozenset(
    {
        "APIConnectionError",
        "TransportError",
        "ProtocolError",
        "ConnectionError",
        "IncompleteRead",
        "IncompleteReadError",
        "ResponseStreamingError",
        "ServiceResponseError",
        "ChunkedEncodingError",
        "ClientPayloadError",
        "HTTPException",
    }
)

_DEEPEST: Final = 8
"""Exceptions of one error that are looked at.  litellm, over a client of a vendor, over httpx, makes six."""


def interrupted(call: Call, error: BaseException) -> None:
    """What the user read from raised ``error``, of a connection that broke or of something else."""
    cut = _broke(error, call.ambient)
    if call.spec.broken is not None:
        with fence.contain("engine.broken"):
            cut = cut or call.spec.broken(error)
    call.raised(error, "cut" if cut else "failed")


def _broke(error: BaseException, ambient: BaseException | None) -> bool:
    """Whether an exception is, or was made of, that of a broken connection; some clients make several of one."""
    cause: BaseException | None = error
    for _ in range(_DEEPEST):
        if cause is None or cause is ambient:  # what the program was handling is no cause
            return False
        if not _BROKEN.isdisjoint([kind.__name__ for kind in type(cause).__mro__]):
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def left(call: Call, error: BaseException | None) -> None:
    """The user leaves before the end: because he has enough, or because of ``error``, an exception of his own."""
    if error is None or error is call.ambient:
        call.finish("closed")
    elif isinstance(error, GeneratorExit):
        call.drop("closed")
    else:
        call.raised(error)


def watch_close(body: Any, closing: Callable[[], None]) -> None:
    """Call ``closing`` when ``body.close()`` or ``body.aclose()`` is called for the first time."""
    for name in _closers(body.__class__):
        setattr(body, name, _Closing(body, name, closing))


def unwatch_close(body: Any) -> None:
    """Take :func:`watch_close` back."""
    held = body.__dict__
    for name in _closers(body.__class__):
        closing = held.get(name)
        if closing.__class__ is _Closing:
            closing.leave()


@lru_cache(maxsize=64)
def _closers(kind: type) -> tuple[str, ...]:
    """The methods that close objects of a class."""
    return tuple(name for name in ("close", "aclose") if hasattr(kind, name))


class _Closing:
    """A body's ``close`` that tells first.

    It refers to the body and the body to it, so it takes itself away when it is called: every end of a stream closes
    the body, and nothing is left for the garbage collector that was not there without us.
    """

    __slots__ = ("_body", "_closing", "_name", "_own")

    def __init__(self, body: Any, name: str, closing: Callable[[], None]) -> None:
        self._body = body
        self._name = name
        self._closing = closing
        self._own = body.__dict__.get(name)  # some clients give a stream a close of its own

    def leave(self) -> None:
        """Let the body have back what it had."""
        if self._own is None:
            self._body.__dict__.pop(self._name, None)
        else:
            self._body.__dict__[self._name] = self._own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.leave()
        with fence.contain("engine.close"):
            self._closing()
        return getattr(self._body, self._name)(*args, **kwargs)
