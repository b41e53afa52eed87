"""Whether anything is traced in this process, known without loading anything.

What stands in the program's code long before ``setup()``, and in programs that never call it, asks here.
"""

from __future__ import annotations

from typing import Final

ON: Final[list[object]] = []
"""The recorder of this process, once there is one.  A list, because wrapt looks at each call whether it is true."""
