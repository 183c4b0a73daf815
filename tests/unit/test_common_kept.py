import msgspec
import pytest

from services.common.kept import UnreadableError, read_kept
from services.processor.domain.buckets import CameraState

DECODER = msgspec.msgpack.Decoder(dict[str, int])


@pytest.mark.parametrize(
    "harmed",
    [b"", b"\xc1", b"garbage", b"\x81\xa1a", b"\x81\xa4\xff\xff\xff\xff\x01", b"\x91" * 100_000, b"\x81\x01\x01"],
    ids=["nothing", "no MessagePack", "more than a value", "cut off", "no UTF-8", "too deep", "another type"],
)
def test_what_the_service_cannot_have_written_is_unreadable(harmed: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_kept(DECODER, harmed)


def test_what_was_written_is_read() -> None:
    assert read_kept(DECODER, msgspec.msgpack.encode({"a": 1})) == {"a": 1}


@pytest.mark.parametrize("harmed", [b"", b"\xc1"])
def test_state_that_came_to_harm_is_not_taken_for_none(harmed: bytes) -> None:
    state = CameraState(lambda _: harmed)
    with pytest.raises(UnreadableError):
        state.sessions("person-1")
