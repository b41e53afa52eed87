"""A fork of a program under gevent, where every ``subprocess`` is a fork that runs Python's hooks.

The SDK's hooks start threads in the child, and to start a thread under gevent is to give way to the hub.  In the
middle of the fork that is the parent's: a child that is only about to execute another program would go on with the
requests that its parent is making.  There they run when the child gives way by itself, which may be never.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any


@contextmanager
def gentle_forks() -> Generator[None]:
    """Let the hooks for forked children that the SDK registers inside run by :func:`when_free`.

    It registers them where it makes its objects; what it calls for that is the only place to get at them.
    """
    register: Any = getattr(os, "register_at_fork", None)
    if register is None:
        yield
        return
    here = threading.get_ident()

    def gently(**hooks: Callable[[], object]) -> None:
        hook: Any = hooks.get("after_in_child")
        module = str(getattr(hook, "__module__", ""))
        if module.startswith("opentelemetry.") and threading.get_ident() == here:
            hooks["after_in_child"] = partial(when_free, hook)
        register(**hooks)

    os.register_at_fork = gently
    try:
        yield
    finally:
        os.register_at_fork = register


def when_free(task: Callable[[], object]) -> None:
    """Run ``task`` at once; under gevent when the caller next gives way, after the tasks before it."""
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        sys.modules["gevent"].spawn(task)
    else:
        task()


def aside(task: Callable[[], object]) -> None:
    """Run ``task`` and wait for it; under gevent in a real thread, since all greenlets would stop with what hangs."""
    monkey: Any = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        sys.modules["gevent"].get_hub().threadpool.apply(task)
    else:
        task()
