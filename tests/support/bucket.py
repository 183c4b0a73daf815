"""A bucket that speaks as much of the S3 protocol over HTTP as a store of objects needs."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

PAGE_KEYS = 2
"""Listed in one answer, so that whoever lists has to ask on."""

_PART = re.compile(r"<Part>.*?</Part>", re.DOTALL)
_NUMBER = re.compile(r"<PartNumber>(\d+)</PartNumber>")
_KEY = re.compile(r"<Key>(.*?)</Key>")


class Bucket:
    """`objects` by key; `busy` requests more are answered with 503. Knows no keys but asks that requests are signed."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.address = f"http://127.0.0.1:{port}"
        self.objects: dict[str, bytes] = {}
        self.modified: dict[str, datetime] = {}
        self.begun: dict[str, dict[int, bytes]] = {}
        self.busy = 0

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content
        self.modified[key] = datetime.now(UTC)


def bucket_settings(bucket: Bucket) -> dict[str, str]:
    """The environment in which it is the store of objects."""
    return {
        "AWS_ENDPOINT_URL": bucket.address,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "eu-north-1",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "NO_PROXY": "127.0.0.1",
    }


@contextmanager
def running_bucket(name: str) -> Iterator[Bucket]:
    class Answers(_Answers):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    Answers.bucket = bucket = Bucket(name, server.server_port)
    answering = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    answering.start()
    try:
        yield bucket
    finally:
        server.shutdown()
        answering.join()
        server.server_close()


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: Bucket

    def log_message(self, *_: object) -> None:
        pass

    def do_PUT(self) -> None:
        if (content := self._taken()) is None:
            return
        if "uploadId" in self._query:
            self.bucket.begun[self._query["uploadId"]][int(self._query["partNumber"])] = content
        else:
            self.bucket.put(self._key, content)
        self._answer(HTTPStatus.OK, headers={"ETag": _etag(content)})

    def do_POST(self) -> None:
        if (content := self._taken()) is None:
            return
        if "uploads" in self._query:
            upload_id = uuid.uuid4().hex
            self.bucket.begun[upload_id] = {}
            self._answer_xml("InitiateMultipartUploadResult", f"<UploadId>{upload_id}</UploadId>")
        elif "uploadId" in self._query:
            self._complete(self._query["uploadId"], content.decode())
        elif "delete" in self._query:
            keys = _KEY.findall(content.decode())
            for key in keys:
                self.bucket.objects.pop(key, None)
            self._answer_xml("DeleteResult", "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys))
        else:
            self._answer(HTTPStatus.BAD_REQUEST)

    def do_GET(self) -> None:
        if self._taken() is None:
            return
        if self._key:
            self._give()
        else:
            self._list()

    def do_HEAD(self) -> None:
        if self._taken() is not None:
            self._give()

    def do_DELETE(self) -> None:
        if self._taken() is None:
            return
        self.bucket.begun.pop(self._query.get("uploadId", ""), None)
        self.bucket.objects.pop(self._key, None)
        self._answer(HTTPStatus.NO_CONTENT)

    def _taken(self) -> bytes | None:
        """The body of a request that is for this bucket; None where it is answered already."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = urlsplit(self.path)
        name, _, self._key = unquote(asked.path).strip("/").partition("/")
        self._query = {key: values[0] for key, values in parse_qs(asked.query, keep_blank_values=True).items()}
        refusal = None
        if not self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256 "):
            refusal = HTTPStatus.FORBIDDEN
        elif name != self.bucket.name:
            refusal = HTTPStatus.NOT_FOUND
        elif self.bucket.busy:
            self.bucket.busy -= 1
            refusal = HTTPStatus.SERVICE_UNAVAILABLE
        if refusal is not None:
            self._answer(refusal)
            return None
        return content

    def _give(self) -> None:
        content = self.bucket.objects.get(self._key)
        if content is None:
            self._answer(HTTPStatus.NOT_FOUND)
            return
        modified = format_datetime(self.bucket.modified[self._key], usegmt=True)
        headers = {"ETag": _etag(content), "Last-Modified": modified}
        if asked := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            start, end = int(asked[1]), min(int(asked[2]) + 1, len(content))
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(content)}"
            self._answer(HTTPStatus.PARTIAL_CONTENT, content[start:end], headers)
        else:
            self._answer(HTTPStatus.OK, content, headers)

    def _list(self) -> None:
        after, prefix = self._query.get("continuation-token", ""), self._query.get("prefix", "")
        keys = sorted(key for key in self.bucket.objects if key.startswith(prefix) and key > after)
        page = list(islice(keys, PAGE_KEYS))
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(self.bucket.objects[key])}</Size>"
            f"<LastModified>{self.bucket.modified[key]:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(_etag(self.bucket.objects[key]))}</ETag></Contents>"
            for key in page
        )
        more = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if len(keys) > len(page) else ""
        self._answer_xml("ListBucketResult", f"<IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}{found}")

    def _complete(self, upload_id: str, told: str) -> None:
        parts = self.bucket.begun.pop(upload_id)
        numbers = [int(_NUMBER.findall(part)[0]) for part in _PART.findall(told)]
        if numbers != sorted(parts) or not all(_etag(part).strip('"') in told for part in parts.values()):
            self._answer(HTTPStatus.BAD_REQUEST)
            return
        content = b"".join(parts[number] for number in numbers)
        self.bucket.put(self._key, content)
        self._answer_xml("CompleteMultipartUploadResult", f"<ETag>{escape(_etag(content))}</ETag>")

    def _answer_xml(self, name: str, content: str) -> None:
        self._answer(HTTPStatus.OK, f'<?xml version="1.0"?><{name}>{content}</{name}>'.encode())

    def _answer(self, status: HTTPStatus, content: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
