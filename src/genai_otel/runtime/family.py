"""What a forked child tells its parent when it ends: that nobody took what it had to send.

The master of a server ends right after its workers.  It would wait for the same dead back ends once more, and the
server would take twice as long to stop as one process may.
"""

from __future__ import annotations

import os
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import mmap

_NOTE = struct.Struct(
    "qd"
)  # process id of the parent; time of the monotonic clock, which is one for all processes
_shared: mmap.mmap | None = None


def share() -> None:
    """Before a fork: make the memory that parent and child will have in common."""
    global _shared  # noqa: PLW0603 - one per family of processes
    if _shared is None:
        import mmap  # not there on every system; where there is a fork it is

        _shared = mmap.mmap(-1, _NOTE.size)


def tell_parent() -> None:
    """This process has waited for its back ends in vain."""
    if _shared is not None:
        _NOTE.pack_into(_shared, 0, os.getppid(), time.monotonic())


def told(seconds: float) -> bool:
    """Whether a child of this process has said so in the last ``seconds``."""
    if _shared is None:
        return False
    parent, at = _NOTE.unpack_from(_shared)
    return parent == os.getpid() and time.monotonic() - at < seconds
