"""Every metric of ours: name, unit, description, bucket list.  The two profiles are two tuples.

What a convention names keeps its name; the rest stands under ``genai_otel.``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from genai_otel import semconv

LABELS: Final = (
    semconv.OPERATION_NAME,
    semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL,
    semconv.RESPONSE_MODEL,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.ERROR_TYPE,
)
"""The label keys of a call's metrics.  Nothing that a user or a model writes freely is among them."""

DURATION_BUCKETS: Final = (
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
)  # fmt: skip
CHUNK_BUCKETS: Final = DURATION_BUCKETS
TOKEN_BUCKETS: Final = (
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0, 16777216.0,
    67108864.0,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Instrument:
    """A metric instrument: ``buckets`` is None for a counter, the explicit bounds for a histogram.

    ``labels`` are the keys that the values of an identity stand for.  With ``of`` it is that instrument for series with
    bounds of their own.  Compared by identity, which keeps a look-up by instrument as cheap as it can be.
    """

    name: str
    unit: str
    description: str
    buckets: tuple[float, ...] | None = None
    labels: tuple[str, ...] = LABELS
    of: Instrument | None = None


def _histogram(name: str, unit: str, description: str, buckets: tuple[float, ...]) -> Instrument:
    return Instrument(name, unit, description, buckets)


# The names that today's packages and dashboards use (profile "stable").
OPERATION_DURATION: Final = _histogram(
    "gen_ai.client.operation.duration", "s", "GenAI operation duration.", DURATION_BUCKETS
)
OPERATION_TIME_TO_FIRST_CHUNK: Final = _histogram(
    "gen_ai.client.operation.time_to_first_chunk",
    "s",
    "Time from the request to the first chunk.",
    DURATION_BUCKETS,
)
OPERATION_TIME_PER_OUTPUT_CHUNK: Final = _histogram(
    "gen_ai.client.operation.time_per_output_chunk",
    "s",
    "Mean time per chunk after the first, one record per stream.",
    CHUNK_BUCKETS,
)
TOKEN_USAGE: Final = _histogram(
    "gen_ai.client.token.usage", "{token}", "Number of input and output tokens used.", TOKEN_BUCKETS
)

# The newest conventions (profile "latest"): names per operation, counters for totals.
INFERENCE_DURATION: Final = _histogram(
    "gen_ai.client.inference.duration", "s", "Inference call duration.", DURATION_BUCKETS
)
INFERENCE_TIME_TO_FIRST_CHUNK: Final = _histogram(
    "gen_ai.client.inference.time_to_first_chunk",
    "s",
    "Time from the request to the first chunk.",
    DURATION_BUCKETS,
)
INFERENCE_TIME_PER_OUTPUT_CHUNK: Final = _histogram(
    "gen_ai.client.inference.time_per_output_chunk",
    "s",
    "Mean time per chunk after the first, one record per stream.",
    CHUNK_BUCKETS,
)
INFERENCE_INPUT_TOKENS: Final = Instrument(
    "gen_ai.client.inference.usage.input_tokens", "{token}", "Input tokens, cached ones included."
)
INFERENCE_OUTPUT_TOKENS: Final = Instrument(
    "gen_ai.client.inference.usage.output_tokens", "{token}", "Output tokens, reasoning included."
)
INFERENCE_CACHE_READ_TOKENS: Final = Instrument(
    "gen_ai.client.inference.usage.cache_read.input_tokens", "{token}", "Input tokens read from a cache."
)
INFERENCE_CACHE_WRITE_TOKENS: Final = Instrument(
    "gen_ai.client.inference.usage.cache_write.input_tokens", "{token}", "Input tokens written to a cache."
)
INFERENCE_REASONING_TOKENS: Final = Instrument(
    "gen_ai.client.inference.usage.reasoning.output_tokens", "{token}", "Output tokens spent on reasoning."
)
INFERENCE_OPERATION_INPUT: Final = _histogram(
    "gen_ai.client.inference.operation.input_tokens", "{token}", "Input tokens of one call.", TOKEN_BUCKETS
)
INFERENCE_OPERATION_OUTPUT: Final = _histogram(
    "gen_ai.client.inference.operation.output_tokens", "{token}", "Output tokens of one call.", TOKEN_BUCKETS
)

# Of a model server's own spans, in both profiles.
SERVER_REQUEST_DURATION: Final = _histogram(
    "gen_ai.server.request.duration", "s", "Time that the model server took for a request.", DURATION_BUCKETS
)
SERVER_TIME_PER_OUTPUT_TOKEN: Final = _histogram(
    "gen_ai.server.time_per_output_token",
    "s",
    "Mean time per output token after the first.",
    (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5),
)
SERVER_TIME_TO_FIRST_TOKEN: Final = _histogram(
    "gen_ai.server.time_to_first_token",
    "s",
    "Time to the first output token.",
    (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)

# Of HTTP requests that this process serves; only where labels of the program's are allowed.
HTTP_LABELS: Final = (
    semconv.HTTP_METHOD,
    semconv.URL_SCHEME,
    semconv.HTTP_ROUTE,
    semconv.HTTP_STATUS,
    semconv.HTTP_VERSION,
    semconv.ERROR_TYPE,
)
HTTP_SERVER_DURATION: Final = Instrument(
    "http.server.request.duration",
    "s",
    "Duration of HTTP server requests.",
    (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
    HTTP_LABELS,
)

SERVER_QUEUE_TIME: Final = _histogram(
    "genai_otel.server.queue.time",
    "s",
    "Time that a request waited before the model server worked on it.",
    (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)
SERVER_ACTIVE_REQUESTS: Final = "genai_otel.server.active_requests"
SERVER_QUEUE_LENGTH: Final = "genai_otel.server.queue.length"

# Of the program's own steps and of frameworks', in both profiles.
INVOKE_AGENT_DURATION: Final = Instrument(
    "gen_ai.invoke_agent.duration",
    "s",
    "Duration of one invocation of an agent.",
    (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6),
    (semconv.AGENT_NAME, semconv.REQUEST_MODEL, semconv.ERROR_TYPE),
)
_COUNT_BUCKETS: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)
AGENT_INFERENCE_CALLS: Final = Instrument(
    "gen_ai.invoke_agent.inference_calls",
    "{inference_call}",
    "Calls of models in one invocation of an agent: how often its loop went round.",
    _COUNT_BUCKETS,
    (semconv.AGENT_NAME,),
)
AGENT_TOOL_CALLS: Final = Instrument(
    "gen_ai.invoke_agent.tool_calls",
    "{tool_call}",
    "Executions of tools in one invocation of an agent.",
    _COUNT_BUCKETS,
    (semconv.AGENT_NAME,),
)
EXECUTE_TOOL_DURATION: Final = Instrument(
    "gen_ai.execute_tool.duration",
    "s",
    "Duration of one execution of a tool.",
    DURATION_BUCKETS,
    (semconv.TOOL_NAME, semconv.TOOL_TYPE, semconv.AGENT_NAME, semconv.ERROR_TYPE),
)
INVOKE_WORKFLOW_DURATION: Final = Instrument(
    "gen_ai.invoke_workflow.duration",
    "s",
    "Duration of one run of a workflow.",
    (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0),
    (semconv.WORKFLOW_NAME, semconv.ERROR_TYPE),
)
TASK_DURATION: Final = Instrument(
    "genai_otel.task.duration",
    "s",
    "Duration of one task of the program.",
    DURATION_BUCKETS,
    (semconv.TASK_NAME, semconv.STAGE, semconv.AGENT_NAME, semconv.ERROR_TYPE),
)
PARSE_FAILURES: Final = Instrument(
    "genai_otel.output.parse.failures",
    "{failure}",
    "Answers that were not in the form that the program needs.",
    None,
    (semconv.OUTPUT_FORMAT, semconv.STAGE, semconv.AGENT_NAME, semconv.ERROR_TYPE),
)
CACHE_OPERATIONS: Final = Instrument(
    "genai_otel.cache.operations",
    "{operation}",
    "Look-ups in a cache of the program's, by what was found.",
    None,
    (semconv.CACHE_NAME, semconv.CACHE_RESULT, semconv.ERROR_TYPE),
)
CACHE_DURATION: Final = Instrument(
    "genai_otel.cache.duration",
    "s",
    "Duration of one look-up in a cache of the program's.",
    (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0),
    CACHE_OPERATIONS.labels,
)

# Ours, in both profiles.
EMPTY_ANSWERS: Final = Instrument(
    "genai_otel.client.empty_answers", "{answer}", "Answers without a token beside reasoning."
)
INCOMPLETE: Final = Instrument(
    "genai_otel.client.incomplete_operations",
    "{operation}",
    "Calls that the program did not read to their end, by how it left them.",
)
FINISH_REASONS: Final = Instrument(
    "genai_otel.client.finish_reasons", "{choice}", "Choices by the reason why they finished."
)
_PRICED = (
    semconv.OPERATION_NAME,
    semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL,
    semconv.RESPONSE_MODEL,
)
COST: Final = Instrument(
    "genai_otel.client.cost",
    "USD",
    "Cost of model operations, by its components.",
    labels=(*_PRICED, semconv.COST_SOURCE),
)
SERVER_COST: Final = Instrument(
    "genai_otel.server.cost",
    "USD",
    "Cost of requests that this process served, by the user's own prices, by its components.",
    labels=COST.labels,
)
COST_UNPRICED: Final = Instrument(
    "genai_otel.client.cost.unpriced",
    "{operation}",
    "Model operations whose cost is not known, by the reason.",
    labels=(*_PRICED, semconv.ERROR_TYPE),
)
BUDGET_LIMIT: Final = "genai_otel.budget.limit"
BUDGET_SPENT: Final = "genai_otel.budget.spent"
BUDGET_RATIO: Final = "genai_otel.budget.ratio"
BUDGET_BURN_RATE: Final = "genai_otel.budget.burn_rate"
PRICES_AGE: Final = "genai_otel.prices.age"
ACTIVE_OPERATIONS: Final = "genai_otel.client.active_operations"
ACTIVE_AGENTS: Final = "genai_otel.agent.active"
DEPENDENCY_UP: Final = "genai_otel.dependency.up"
MODEL_PROBE: Final = "genai_otel.model.probe"
INFO: Final = "genai_otel.info"
INTERNAL_ERRORS: Final = "genai_otel.internal.errors"
DROPPED: Final = "genai_otel.dropped"

STABLE: Final = (
    OPERATION_DURATION,
    OPERATION_TIME_TO_FIRST_CHUNK,
    OPERATION_TIME_PER_OUTPUT_CHUNK,
    TOKEN_USAGE,
)
LATEST: Final = (
    INFERENCE_DURATION,
    INFERENCE_TIME_TO_FIRST_CHUNK,
    INFERENCE_TIME_PER_OUTPUT_CHUNK,
    INFERENCE_INPUT_TOKENS,
    INFERENCE_OUTPUT_TOKENS,
    INFERENCE_CACHE_READ_TOKENS,
    INFERENCE_CACHE_WRITE_TOKENS,
    INFERENCE_REASONING_TOKENS,
    INFERENCE_OPERATION_INPUT,
    INFERENCE_OPERATION_OUTPUT,
    OPERATION_DURATION,
)
