"""``python -m tests.benchmarks.large_file GATEWAY BLOCK TIMES``: send a CSV as a browser sends a large file.

The file BLOCK has a header and rows of one hour. What is sent has them so many times, each time of other people in
another hour.
"""

import base64
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx

from tests.benchmarks.load import BEGIN
from tests.support.environment import ADMIN_EMAIL, ADMIN_PASSWORD

PART_BYTES = 8 << 20
"""As the dashboard cuts it."""


def main(gateway: str, block: Path, times: int) -> None:
    header, rows = block.read_bytes().split(b"\n", 1)
    length = len(header) + 1 + len(rows) * times
    name = base64.b64encode(b"large.csv").decode()
    offset = 0
    with httpx.Client(base_url=gateway, timeout=300, trust_env=False, headers={"Tus-Resumable": "1.0.0"}) as http:
        answer = http.post("/api/v1/auth/login", json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
        http.headers["Authorization"] = f"Bearer {answer.raise_for_status().json()['access_token']}"
        made = http.post("/api/v1/tus", headers={"Upload-Length": str(length), "Upload-Metadata": f"filename {name}"})
        for part in _parts(header + b"\n", rows, times):
            headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
            http.patch(made.headers["Location"], headers=headers, content=part).raise_for_status()
            offset += len(part)


def _parts(header: bytes, rows: bytes, times: int) -> Iterator[bytes]:
    waiting = header
    for number in range(times):
        hour = BEGIN + timedelta(days=1, hours=number)
        block = rows.replace(f"{BEGIN:%Y-%m-%d %H}:".encode(), f"{hour:%Y-%m-%d %H}:".encode())
        waiting += block.replace(b"-0000-4000-", f"-{number + 1:04x}-4000-".encode())
        whole = len(waiting) // PART_BYTES * PART_BYTES
        for start in range(0, whole, PART_BYTES):
            yield waiting[start : start + PART_BYTES]
        waiting = waiting[whole:]
    if waiting:
        yield waiting


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
