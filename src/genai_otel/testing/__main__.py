"""`python -m genai_otel.testing --port 8080`: the model server in a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import signal

from genai_otel.testing.directives import table
from genai_otel.testing.server import ModelServer


def main() -> None:
    rows = "\n".join(f"  {form:24}{meaning}" for form, meaning in table())
    parser = argparse.ArgumentParser(
        prog="python -m genai_otel.testing",
        description="A local model server that speaks the OpenAI API.",
        epilog=f"directives in the model name, as in gpt-4o-mini+slow-first-500ms:\n{rows}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default): any free port")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ModelServer(host=options.host, port=options.port, keep=0) as server:
        print(server.base_url, flush=True)  # noqa: T201 - the address is what the caller waits for
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()


if __name__ == "__main__":
    main()
