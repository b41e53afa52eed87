"""Aiobotocore, the asynchronous botocore: what `boto3` has, through a method of its own."""

from __future__ import annotations

from typing import Final

from genai_otel.clients._bedrock import connection, endpoint, peer
from genai_otel.clients._bedrock_results import errors
from genai_otel.spec import ClientSpec

SPEC: Final = ClientSpec(
    name="aiobotocore",
    requires="aiobotocore >= 2.15, < 4",
    connection=connection,
    peer=peer,
    errors=errors,
    endpoints=(endpoint("aiobotocore.client:AioBaseClient._make_api_call", asynchronous=True),),
)
