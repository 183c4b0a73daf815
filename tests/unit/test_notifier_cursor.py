import base64

import pytest

from services.common.topics import PARTITIONS
from services.notifier.domain.cursor import Cursor, CursorError, decode_cursor

CURSOR = Cursor("epoch", tuple(range(PARTITIONS)))


class TestCursor:
    def test_it_comes_back_as_it_was_given_out(self) -> None:
        assert decode_cursor(CURSOR.encode()) == CURSOR

    def test_it_can_be_put_into_an_address_as_it_is(self) -> None:
        assert CURSOR.encode().replace("-", "").replace("_", "").isalnum()

    def test_it_moves_past_what_was_seen_and_never_back(self) -> None:
        moved = CURSOR.after([(0, 9), (3, 1)])
        assert moved.offsets[0] == 10
        assert moved.offsets[3] == 3

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "nonsense",
            "%%%",
            "ä",
            CURSOR.encode()[:-5],
            base64.urlsafe_b64encode(b'["epoch",[1,2]]').decode(),
            base64.urlsafe_b64encode(b'["epoch",[%s]]' % b",".join([b"-1"] * PARTITIONS)).decode(),
            base64.urlsafe_b64encode(b"[" * 10_000).decode(),
        ],
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(CursorError):
            decode_cursor(text)
