"""The topic job: what counts as a difference between the topic table and a broker."""

import pytest

from services.common.kafka.admin import FoundTopic, differences
from services.common.topics import SPECS, Topic

SESSIONS = SPECS[Topic.SESSIONS]
AS_WANTED = {"cleanup.policy": "delete", "retention.ms": "2592000000", "segment.bytes": "1073741824"}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (FoundTopic(12, AS_WANTED), []),
        (FoundTopic(6, AS_WANTED), ["sessions.v1: partitions is 6, must be 12"]),
        (
            FoundTopic(12, AS_WANTED | {"retention.ms": "1000"}),
            ["sessions.v1: retention.ms is 1000, must be 2592000000"],
        ),
        (
            FoundTopic(6, {"retention.ms": "2592000000"}),
            ["sessions.v1: partitions is 6, must be 12", "sessions.v1: cleanup.policy is unset, must be delete"],
        ),
    ],
)
def test_only_what_the_table_names_is_compared(found: FoundTopic, expected: list[str]) -> None:
    assert differences(SESSIONS, found, partitions=12) == expected
