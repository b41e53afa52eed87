"""What is taken of an answer of NVML: pure functions; None where the answer does not have it."""

from __future__ import annotations

import os
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

_FIRST_NAMESPACE: Final = "pid:[4026531836]"
"""What Linux calls the process namespace that a machine starts with."""


def number(answer: Any) -> float | None:
    """The answer itself."""
    return answer


def megahertz(answer: Any) -> float | None:
    """In hertz."""
    return answer * 1_000_000


def times(factor: float) -> Callable[[Any], float | None]:
    """The answer in another unit."""
    return lambda answer: answer * factor


def bit(mask: int) -> Callable[[Any], float | None]:
    """1 where the answer has this bit."""
    return lambda answer: int(bool(answer & mask))


def equals(text: str) -> Callable[[Any], float | None]:
    """1 where the answer is this."""
    return lambda answer: int(answer == text)


def item(key: object) -> Callable[[Any], float | None]:
    """The value under a key, where there is one."""
    return lambda answer: answer.get(key)


def share_used(memory: Any) -> float | None:
    """Used of all memory."""
    return memory.used / memory.total if memory.total else None


def own_memory(processes: Any) -> float | None:
    """Memory of this process in the list of those that compute.

    None where it is not in the list, and where the list has processes that this one cannot see: it is then the host's,
    seen from a container, and a process with our number is another one.
    """
    own = [each.usedGpuMemory for each in processes if each.pid == os.getpid()]
    return None if not own or None in own or not _numbers_are_ours(processes) else sum(own)


def own_utilization(samples: Any) -> float | None:
    """The newest sample of this process."""
    own = [each for each in samples if each.pid == os.getpid()]
    return max(own, key=attrgetter("timeStamp")).smUtil if own and _numbers_are_ours(samples) else None


def _numbers_are_ours(processes: Any) -> bool:
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return True  # not Linux, which alone has such namespaces
    return namespace == _FIRST_NAMESPACE or all(Path(f"/proc/{each.pid}").exists() for each in processes)
