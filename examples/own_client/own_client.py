"""A client of your own, traced: `python examples/own_client/own_client.py`."""

from oracle import Oracle
from oracle_tracing import SPEC

import genai_otel
from genai_otel.testing import ModelServer

if __name__ == "__main__":
    genai_otel.setup()
    genai_otel.instrument("oracle", SPEC)
    with ModelServer() as server:
        oracle = Oracle(server.base_url)
        print(oracle.ask("Will it rain?", model="delphi-1")["choices"][0]["message"]["content"])
        print(sum(1 for _ in oracle.murmur("And tomorrow?", model="delphi-1")), "pieces")
