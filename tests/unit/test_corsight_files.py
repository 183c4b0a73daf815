import gzip
import json
import struct

import pytest

from services.common.corsight.files import (
    FileKind,
    UnsupportedFileError,
    UnusableFileError,
    detect_kind,
)

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR"
CSV = b"person_id,camera_id,utc_time_started,utc_time_ended\n"
INSIGHT = {"camera_id": "c1", "utc_time_recorded": 1753700000, "loitering_duration": 35}
APPEARANCE = {"event_type": "appearance", "appearance_data": {"appearance_id": "a"}, "camera_data": {"camera_id": "c1"}}


class TestDetectKind:
    @pytest.mark.parametrize(
        ("head", "kind"),
        [
            (CSV, FileKind("appearances", "csv")),
            (b"\xef\xbb\xbf" + CSV, FileKind("appearances", "csv")),
            (CSV.decode().encode("utf-16"), FileKind("appearances", "csv", encoding="utf-16")),
            (CSV.decode().encode("utf-16-le"), FileKind("appearances", "csv", encoding="utf-16-le")),
            (CSV.decode().encode("utf-16-be"), FileKind("appearances", "csv", encoding="utf-16-be")),
            (CSV + "p,c,Küche,\n".encode("cp1252"), FileKind("appearances", "csv", encoding="cp1252")),
            (CSV + "p,c,Küche,\n".encode() + b"p,c,K\xfcche\n", FileKind("appearances", "csv")),
            (CSV + b"p,c,\xff\xfe\xfd,\n", FileKind("appearances", "csv")),
            (CSV + b"p,c,torn \xe6\x97,\n", FileKind("appearances", "csv")),
            (gzip.compress(CSV), FileKind("appearances", "csv", gzipped=True)),
            (json.dumps([INSIGHT]).encode(), FileKind("insights", "json")),
            (json.dumps({"data": [INSIGHT]}, indent=1).encode(), FileKind("insights", "json")),
            (
                json.dumps(
                    {"events": [{"camera_id": "c", "utc_time_started": 1763600000, "utc_time_ended": 1763600060}]}
                ).encode(),
                FileKind("insights", "json"),
            ),
            (
                json.dumps([{"person_id": "p", "started_at": "", "ended_at": "", "count": 4}]).encode(),
                FileKind("insights", "json"),
            ),
            (
                json.dumps([{"person_id": "p", "started_at": "", "ended_at": ""}]).encode(),
                FileKind("appearances", "json"),
            ),
            (json.dumps({"insights": []}).encode(), FileKind("insights", "json")),
            (json.dumps([{"event_type": "Crowd detected", "camera_id": "c1"}]).encode(), FileKind("insights", "json")),
            (b'{"data":[\n{"loitering_duration":1}\n]}', FileKind("insights", "json")),
            (f"{json.dumps(INSIGHT)}\n{json.dumps(INSIGHT)}\n".encode(), FileKind("insights", "ndjson")),
            (f'{{"loitering_duration": }}\n{json.dumps(INSIGHT)}\n'.encode(), FileKind("insights", "ndjson")),
            (json.dumps(APPEARANCE).encode(), FileKind("appearances", "json")),
            (json.dumps({"data": {"matches": [APPEARANCE]}}).encode(), FileKind("appearances", "json")),
            (f"{json.dumps(APPEARANCE)}\n{json.dumps(APPEARANCE)}".encode(), FileKind("appearances", "ndjson")),
            (gzip.compress(json.dumps([APPEARANCE]).encode()), FileKind("appearances", "json", gzipped=True)),
            (b'[{"person_id":"p","camera_id":"c","started_at":1,"ended_at":2}]', FileKind("appearances", "json")),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_tells_kind_and_format_by_content(self, head: bytes, kind: FileKind) -> None:
        assert detect_kind(head, "whatever.bin") == kind

    @pytest.mark.parametrize(
        ("head", "what"),
        [
            (PNG, "PNG image"),
            (b"%PDF-1.7", "PDF"),
            (b"PK\x03\x04....", "Excel"),
            (b"<!doctype html>", "HTML"),
            (b"person_id\x00camera_id", "binary"),
            (gzip.compress(PNG), "PNG image"),
            (b"\x1f\x8bnot really", "cannot be unpacked"),
        ],
    )
    def test_refuses_what_is_neither_csv_nor_json(self, head: bytes, what: str) -> None:
        with pytest.raises(UnsupportedFileError, match=what) as refused:
            detect_kind(head, "day.csv")
        assert refused.value.status == 415
        assert "day.csv" in str(refused.value)

    @pytest.mark.parametrize("head", [b"", b" \r\n\n", b"\xef\xbb\xbf", gzip.compress(b"")])
    def test_refuses_an_empty_file(self, head: bytes) -> None:
        with pytest.raises(UnusableFileError, match="empty") as refused:
            detect_kind(head)
        assert refused.value.status == 422
