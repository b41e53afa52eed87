"""Every attribute and metric name, unit and bucket list; the two profiles of metric names.

Names that a convention defines keep the convention's name; ours start with ``genai_otel.``.  No other module
writes a name as a literal.  The GenAI conventions have no release yet and the constants of the OpenTelemetry
packages are deprecated without a replacement, so this table is our own.

Source: open-telemetry/semantic-conventions-genai, model/gen-ai (spans.yaml, metrics.yaml at 024a4f9).
"""

from __future__ import annotations

from typing import Final, Literal

from genai_otel import finish_reasons

SCHEMA_URL: Final = "https://opentelemetry.io/schemas/1.37.0"
SCOPE: Final = "genai_otel"

# --- identity of a call ---------------------------------------------------------------------------
OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
ERROR_TYPE: Final = "error.type"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
CONVERSATION_COMPACTED: Final = "gen_ai.conversation.compacted"

# --- who asks -------------------------------------------------------------------------------------
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
USER_HASH: Final = "user.hash"
TENANT: Final = "genai_otel.tenant"
TAGS: Final = "genai_otel.tags"
CALLERS_REQUEST_ID: Final = "genai_otel.request.id"
"""What the caller of a service calls his request, beside the id of its trace."""

# --- request --------------------------------------------------------------------------------------
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"
REQUEST_TOP_K: Final = "gen_ai.request.top_k"
REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
REQUEST_PREVIOUS_RESPONSE_ID: Final = "gen_ai.request.previous_response.id"
REQUEST_STREAM_CURSOR: Final = "gen_ai.request.stream_cursor"
OUTPUT_TYPE: Final = "gen_ai.output.type"

# --- response -------------------------------------------------------------------------------------
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_STATUS: Final = "gen_ai.response.status"
RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"
EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"

# --- usage: totals include cached and reasoning tokens --------------------------------------------
USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
USAGE_TEXT_INPUT_TOKENS: Final = "gen_ai.usage.text.input_tokens"
USAGE_IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
USAGE_AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
USAGE_TEXT_OUTPUT_TOKENS: Final = "gen_ai.usage.text.output_tokens"
USAGE_IMAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.image.output_tokens"
USAGE_AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"
USAGE_TEXT_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.text.cache_read.input_tokens"
USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.image.cache_read.input_tokens"
USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.audio.cache_read.input_tokens"

USAGE: Final = ("gen_ai.usage.", "genai_otel.usage.")
"""How the names of all usage start."""

# What is billed, and has no name in the convention.
USAGE_CACHE_WRITE_5M_INPUT_TOKENS: Final = "genai_otel.usage.cache_write_5m.input_tokens"
USAGE_CACHE_WRITE_1H_INPUT_TOKENS: Final = "genai_otel.usage.cache_write_1h.input_tokens"
USAGE_AUDIO_SECONDS: Final = "genai_otel.usage.audio_seconds"
USAGE_WEB_SEARCHES: Final = "genai_otel.usage.web_searches"
USAGE_FILE_SEARCHES: Final = "genai_otel.usage.file_searches"

# --- content (opt-in) -----------------------------------------------------------------------------
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"
EVENT_OPERATION_DETAILS: Final = "gen_ai.client.inference.operation.details"
EVENT_STEP_DETAILS: Final = "genai_otel.operation.details"
"""The same of what is no call of a model: the convention has no event for it."""

# --- agents and tools -----------------------------------------------------------------------------
AGENT_ID: Final = "gen_ai.agent.id"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
AGENT_VERSION: Final = "gen_ai.agent.version"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_TYPE: Final = "gen_ai.tool.type"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
RETRIEVAL_QUERY_TEXT: Final = "gen_ai.retrieval.query.text"
RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"

# --- vendor refinement: OpenAI --------------------------------------------------------------------
OPENAI_API_TYPE: Final = "openai.api.type"
OPENAI_REQUEST_SERVICE_TIER: Final = "openai.request.service_tier"
OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
OPENAI_RESPONSE_SYSTEM_FINGERPRINT: Final = "openai.response.system_fingerprint"

# --- vendor refinement: Bedrock -------------------------------------------------------------------
BEDROCK_GUARDRAIL_ID: Final = "aws.bedrock.guardrail.id"
BEDROCK_KNOWLEDGE_BASE_ID: Final = "aws.bedrock.knowledge_base.id"

# --- names of our own (design.md 5b, a public contract) -------------------------------------------
OUTCOME: Final = "genai_otel.outcome"
OWNER: Final = "genai_otel.owner"
MEASURED: Final = "genai_otel.measured"
TRUNCATED: Final = "genai_otel.truncated"
REFUSED: Final = "genai_otel.refused"
STREAM_CHUNKS: Final = "genai_otel.stream.chunks"
STREAM_TIME_PER_CHUNK: Final = "genai_otel.stream.time_per_chunk"
REQUEST_ID: Final = "genai_otel.response.request_id"
COMPUTE_TIME: Final = "genai_otel.response.compute_time"
RESPONSE_SPEED: Final = "genai_otel.response.speed"
HTTP_STATUS: Final = "http.response.status_code"
HTTP_METHOD: Final = "http.request.method"
HTTP_ROUTE: Final = "http.route"
HTTP_VERSION: Final = "network.protocol.version"
URL_SCHEME: Final = "url.scheme"
RPC_STATUS: Final = "rpc.response.status_code"
COST_AMOUNT: Final = "genai_otel.cost.amount"
COST_CURRENCY: Final = "genai_otel.cost.currency"
COST_SOURCE: Final = "genai_otel.cost.source"
COST_PRICE_DATE: Final = "genai_otel.cost.price_date"
COST_REPORTED: Final = "genai_otel.cost.reported"
"""US dollars that the vendor, or a gateway, says that the call cost."""
# A proposal to the conventions, and what others say, where the user asks for them.
PROPOSED_COST_AMOUNT: Final = "gen_ai.usage.cost.amount"
PROPOSED_COST_CURRENCY: Final = "gen_ai.usage.cost.currency"
PROPOSED_COST_SOURCE: Final = "gen_ai.usage.cost.source"
OPERATION_COST: Final = "operation.cost"
BUDGET_WINDOW: Final = "genai_otel.budget.window"
COST_COMPONENT: Final = "genai_otel.cost.component"
COMPONENT: Final = "genai_otel.component"
SERVER_QUEUE_TIME: Final = "genai_otel.server.queue.time"
STAGE: Final = "genai_otel.stage"
ITERATION: Final = "genai_otel.iteration"
TASK_NAME: Final = "genai_otel.task.name"
OUTPUT_FORMAT: Final = "genai_otel.output.format"
CACHE_NAME: Final = "genai_otel.cache.name"
CACHE_RESULT: Final = "genai_otel.cache.result"
AGENT_INFERENCE_CALLS: Final = "genai_otel.agent.inference_calls"
AGENT_TOOL_CALLS: Final = "genai_otel.agent.tool_calls"
DEPENDENCY: Final = "genai_otel.dependency.name"

Outcome = Literal["completed", "closed", "abandoned", "cancelled", "cut", "failed"]

# --- values ---------------------------------------------------------------------------------------
CHAT: Final = "chat"
TEXT_COMPLETION: Final = "text_completion"
GENERATE_CONTENT: Final = "generate_content"
EMBEDDINGS: Final = "embeddings"
FETCH_RESPONSE: Final = "fetch_response"
MODERATION: Final = "moderation"
INVOKE_AGENT: Final = "invoke_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"
RETRIEVAL: Final = "retrieval"
# No names of the convention, which knows none of these operations.
COUNT_TOKENS: Final = "count_tokens"
CREATE_BATCH: Final = "create_batch"
FETCH_BATCH: Final = "fetch_batch"
RERANK: Final = "rerank"
TASK: Final = "task"
CACHE_LOOKUP: Final = "cache_lookup"
PARSE_FAILURE: Final = "parse_failure"
REALTIME_SESSION: Final = "realtime_session"
"""A connection with many responses: no operation of a model by itself, so it is neither measured nor an owner."""

INFERENCE: Final = frozenset({CHAT, TEXT_COMPLETION, GENERATE_CONTENT})
"""Operations that the convention calls inference: one call of a generating model."""

MODEL_OPERATIONS: Final = INFERENCE | {
    EMBEDDINGS,
    FETCH_RESPONSE,
    MODERATION,
    COUNT_TOKENS,
    CREATE_BATCH,
    FETCH_BATCH,
    RERANK,
}
"""Operations of a model's API: nested spans of them are one call, and they are what is measured."""

NAME_OF_STEP: Final = {INVOKE_WORKFLOW: WORKFLOW_NAME, INVOKE_AGENT: AGENT_NAME, EXECUTE_TOOL: TOOL_NAME}
"""Steps that frameworks make spans of, too, and the attribute that names them."""

OTHER: Final = "_OTHER"
"""The convention's fallback value of ``error.type``; also the label value past the cardinality limit."""

# --- labels of metrics ----------------------------------------------------------------------------
TOKEN_TYPE: Final = "gen_ai.token.type"
TOKEN_MODALITY: Final = "gen_ai.token.modality"
FINISH_REASON: Final = "genai_otel.finish_reason"
FINISH_WORDS: Final = finish_reasons.WORDS
NORMAL_FINISH_REASON: Final = finish_reasons.LABELS
