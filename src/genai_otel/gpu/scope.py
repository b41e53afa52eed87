"""Which GPUs are ours: those that the standard variables name, and in ``auto`` only one process of a host."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from zlib import crc32

_VARIABLES: Final = ("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES")
_KINDS: Final = ("GPU-", "MIG-")


class Scope:
    """The GPUs that a process may use, where it was told by their UUIDs or the beginnings of them.

    Numbers say nothing here: CUDA counts GPUs in another order than NVML.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        lists = [environ.get(variable, "").split(",") for variable in _VARIABLES]
        named = [[each.strip() for each in one if each.strip().startswith(_KINDS)] for one in lists]
        self.named: Final = tuple(sorted({*(named[0] or named[1])}))

    def allows(self, *identities: str) -> bool:
        """Whether one of these is ours: a GPU's UUID; for a MIG instance also that of its GPU."""
        return not self.named or any(identity.startswith(self.named) for identity in identities)


class Claim:
    """The right to tell about the GPUs of a host, held by one process of a user at a time.

    It is an advisory lock on a file, which ends with the process; then another one takes it.
    """

    def __init__(self, scope: Scope) -> None:
        self._name = f"gpu-{crc32(','.join(scope.named).encode()):08x}.lock" if scope.named else "gpu.lock"
        self._file: int | None = None

    def held(self) -> bool:
        """Whether this process has the right, taking it if nobody has; also where files cannot be locked."""
        if self._file is not None:
            return True
        try:
            import fcntl
        except ImportError:
            return True
        try:
            file = os.open(_folder() / self._name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError:
            return True
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(file)
            return False
        self._file = file
        return True

    def release(self) -> None:
        """Give the right up; in a forked child that is to leave it to the parent, who has the file open, too."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def _folder() -> Path:
    """A folder of this user alone.  Raises OSError where there is none."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.access(runtime, os.W_OK):
        folder = Path(runtime) / "genai-otel"
    else:
        folder = Path(tempfile.gettempdir()) / f"genai-otel-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder
