"""vLLM's own server, tracing itself: answers each line of its standard input with the spans that ended since the last.

python -m tests.golden.recipes.vllm_server --model FOLDER --port 8000
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from importlib import import_module
from typing import Any

from opentelemetry import trace

from tests.golden.seen import Seen


def main() -> None:
    """Serve until somebody ends this process."""
    seen = Seen()
    trace.set_tracer_provider(seen.provider)  # so vLLM's own provider is none that counts
    threading.Thread(target=_answer, args=(seen,), daemon=True).start()
    server = import_module("vllm.entrypoints.launchers.api_server.entry")
    arguments = import_module("vllm.entrypoints.launchers.cli_args")
    parser: Any = import_module("vllm.utils.argparse_utils").FlexibleArgumentParser()
    asyncio.run(server.run_server(arguments.make_arg_parser(parser).parse_args()))


def _answer(seen: Seen) -> None:
    for _ in sys.stdin:
        print(f"spans: {json.dumps(seen.taken())}", flush=True)


if __name__ == "__main__":
    main()
