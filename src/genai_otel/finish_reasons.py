"""Why answers end: the words of all vendors, in those of the convention."""

from __future__ import annotations

from typing import Final

_FINISH: Final = {
    "stop": "end_turn stop_sequence eos eos_token endoftext finish finished complete completed stop_criteria_met"
    " reason_stop",
    "length": "max_tokens max_output_tokens max_length model_length model_context_window_exceeded"
    " incomplete budget_exceeded error_limit reason_max_len reason_max_context reason_time_limit"
    " token_limit time_limit",
    "tool_call": "tool_calls tool_use function_call requires_action reason_tool_calls",
    "content_filter": "content_filtered safety recitation blocklist prohibited_content spii model_armor"
    " image_safety image_prohibited_content image_recitation guardrail_intervened error_toxic refusal",
    "error": "failed malformed_function_call malformed_response malformed_model_output malformed_tool_use"
    " unexpected_tool_call too_many_tool_calls",
    "cancelled": "canceled user_cancel",
}
WORDS: Final = {word: one for one, theirs in _FINISH.items() for word in (one, *theirs.split())}
"""Vendors' finish reasons, in small letters, in the convention's words; a span keeps a word that is not here."""

LABELS: Final = {
    **{word: "tool_calls" if one == "tool_call" else one for word, one in WORDS.items()},
    "refusal": "refusal",
    "content-filter": "content_filter",  # Vercel's AI SDK
    "tool-calls": "tool_calls",
}
"""Finish reasons in the few words of the metric's label; any other is ``_OTHER``."""
