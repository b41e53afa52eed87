"""Boto3, and botocore below it: Bedrock's conversations, models in each vendor's own form, agents."""

from __future__ import annotations

from typing import Final

from genai_otel.clients._bedrock import connection, endpoint, peer
from genai_otel.clients._bedrock_results import errors
from genai_otel.spec import ClientSpec

SPEC: Final = ClientSpec(
    name="boto3",
    requires="boto3 >= 1.35, < 2",
    connection=connection,
    peer=peer,
    errors=errors,
    endpoints=(endpoint("botocore.client:BaseClient._make_api_call", asynchronous=False),),
)
