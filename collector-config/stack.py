#!/usr/bin/env python3
"""The stack without a container engine: ``python3 stack.py up``, then ``status`` and ``down``; ``--help`` says more."""

import sys

from programs.launcher.main import main

if __name__ == "__main__":
    sys.exit(main())
