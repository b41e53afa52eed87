"""``python -m genai_otel.cli``: the command where its script is not on the path."""

import sys

from genai_otel.cli import main

sys.exit(main())
