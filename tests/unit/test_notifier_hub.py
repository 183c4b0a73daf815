import json
from datetime import timedelta
from typing import Any

import pytest

from services.common.events.cameras import Camera
from services.common.topics import PARTITIONS
from services.notifier.domain.cursor import Cursor
from services.notifier.domain.fanout import EVERYTHING, Entry, Filters, Outbox
from services.notifier.hub import RESTARTING, SLOW, Client, Hub
from tests.support.alerts import NOON, alert

START = Cursor("epoch", (0,) * PARTITIONS)


def client(filters: Filters = EVERYTHING, max_frames: int = 9) -> Client:
    return Client(filters, Outbox(max_frames, 100_000))


def entry(offset: int) -> Entry:
    return Entry(0, offset, (alert(offset),))


async def next_frame(of: Client) -> dict[str, Any]:
    frame: dict[str, Any] = json.loads(await of.next_text() or "null")
    return frame


@pytest.fixture
def hub() -> Hub:
    """Open, with alert 0 in the past."""
    hub = Hub(max_recent=100)
    hub.open(START, [entry(0)], START.after([(0, 0)]))
    return hub


def publish(hub: Hub, *offsets: int) -> None:
    hub.publish([entry(offset) for offset in offsets], hub.head.after([(0, offset) for offset in offsets]))


class TestNews:
    async def test_every_client_hears_it_once_and_the_past_is_not_news(self, hub: Hub) -> None:
        clients = [client(), client(Filters(camera_ids=frozenset({"c1"})))]
        for each in clients:
            hub.join(each, None)
        publish(hub, 1, 2)
        hub.heartbeat(NOON)
        for each in clients:
            frame = await next_frame(each)
            assert [item["alert_id"] for item in frame["items"]] == ["alert-1", "alert-2"]
            assert frame["cursor"] == hub.head.encode()
            assert (await next_frame(each))["type"] == "heartbeat"

    async def test_a_client_that_cannot_keep_up_is_sent_away_and_the_others_are_not(self, hub: Hub) -> None:
        slow, quick = client(max_frames=2), client()
        for each in (slow, quick):
            hub.join(each, None)
        for offset in range(1, 5):
            publish(hub, offset)
        assert slow.farewell == SLOW
        assert await slow.next_text() is None
        assert [(await next_frame(quick))["items"][0]["alert_id"] for _ in range(4)] == [
            "alert-1",
            "alert-2",
            "alert-3",
            "alert-4",
        ]

    async def test_who_left_hears_nothing(self, hub: Hub) -> None:
        gone = client(max_frames=1)
        hub.join(gone, None)
        hub.leave(gone)
        publish(hub, 1)
        publish(hub, 2)
        assert gone.farewell is None
        assert hub.clients == 0

    async def test_at_the_end_all_are_told_to_come_back(self, hub: Hub) -> None:
        early, late = client(), client()
        hub.join(early, None)
        hub.close()
        hub.join(late, None)
        assert [early.farewell, late.farewell] == [RESTARTING, RESTARTING]
        assert not hub.is_open


class TestComingBack:
    async def test_between_the_cursor_and_the_news_there_is_no_gap_and_no_overlap(self, hub: Hub) -> None:
        publish(hub, 1)
        back = client()
        standing = hub.join(back, START.after([(0, 0)]).encode())
        publish(hub, 2)
        assert standing.recent == [entry(1)]
        assert standing.head == START.after([(0, 1)])
        assert [item["alert_id"] for item in (await next_frame(back))["items"]] == ["alert-2"]

    def test_the_past_of_an_earlier_process_is_recovered_too(self, hub: Hub) -> None:
        assert hub.join(client(), START.encode()).recent == [entry(0)]

    @pytest.mark.parametrize(
        "last",
        [
            None,
            "nonsense",
            Cursor("another epoch", START.offsets).encode(),
            START.after([(0, 99)]).encode(),
        ],
        ids=["no cursor", "no cursor of ours", "of a topic that was made anew", "ahead of the log"],
    )
    def test_from_any_other_cursor_nothing_can_be_recovered(self, hub: Hub, last: str | None) -> None:
        standing = hub.join(client(), last)
        assert standing.last is None
        assert standing.recent is None


class TestHeartbeat:
    async def test_it_tells_how_fresh_the_sources_are(self, hub: Hub) -> None:
        listener = client()
        hub.join(listener, None)
        for camera_id, seconds in (("c1", 40), ("c2", 10)):
            seen_at = NOON + timedelta(seconds=seconds)
            hub.learn(
                Camera(camera_id=camera_id, source="corsight:webhook", heartbeat_at=seen_at, last_seen_at=seen_at)
            )
        hub.learn(Camera(camera_id="c3", source="corsight:webhook", heartbeat_at=NOON))
        hub.heartbeat(NOON + timedelta(seconds=60))
        assert await next_frame(listener) == {
            "type": "heartbeat",
            "cursor": hub.head.encode(),
            "server_time": "2026-03-10T12:01:00Z",
            "newest_event_time": "2026-03-10T12:00:40Z",
            "source_heartbeat_at": "2026-03-10T12:00:40Z",
        }

    async def test_without_sources_there_is_nothing_to_tell_of_them(self, hub: Hub) -> None:
        listener = client()
        hub.join(listener, None)
        hub.heartbeat(NOON)
        frame = await next_frame(listener)
        assert (frame["newest_event_time"], frame["source_heartbeat_at"]) == (None, None)
