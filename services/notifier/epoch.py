"""The identity of a topic: one that is deleted and made anew, or stands on another cluster, has another.

Offsets mean something only together with it. aiokafka speaks metadata requests up to version 5; topic ids came with 10.
"""

import uuid

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Int64, Schema, TaggedFields

_TOPIC_ID = (("topic_id_high", Int64), ("topic_id_low", Int64))


class _MetadataResponse(Response):  # type: ignore[misc]
    """Ends at the id of the first topic: there is only one, and nothing after it is wanted."""

    API_KEY = 3
    API_VERSION = 12
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        ("topics", CompactArray(("error_code", Int16), ("name", CompactString()), *_TOPIC_ID)),
    )


class _MetadataRequestV12(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = 3
    API_VERSION = 12
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(*_TOPIC_ID, ("name", CompactString()), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV12]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_MetadataRequestV12]) -> _MetadataRequestV12:
        return request_struct_class([(0, 0, self._topic, {})], False, False, {})


async def topic_id(bootstrap: str, topic: str) -> str:
    """Raises a `KafkaError` where the cluster does not answer or has no such topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        response = await admin._send_request(_MetadataRequest(topic))
    finally:
        await admin.close()
    [(error_code, _, high, low)] = response.topics
    if error_code:
        raise for_code(error_code)(topic)
    return uuid.UUID(bytes=high.to_bytes(8, signed=True) + low.to_bytes(8, signed=True)).hex
