"""A multipart upload from the socket to the raw store, never whole in memory and never larger than allowed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from services.gateway.errors import FileTooLargeError, InvalidRequestError
from services.gateway.uploads.store import IncomingFile, RawStore

UNLIMITED = 1 << 50
"""Of a request's body: the application's limit is for small JSON, an upload's own is kept while it streams."""

WRITE_BYTES = 1 << 20
"""Written and hashed at a time, in a worker thread."""

_MAX_FIELD_BYTES = 1_024
_MAX_PARTS = 10
_MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    sha256: str
    size: int
    file_name: str
    fields: dict[str, str]


async def receive_file(
    body: AsyncIterator[bytes],
    content_type: str,
    content_length: int | None,
    store: RawStore,
    max_bytes: int,
    check_fields: Callable[[dict[str, str]], object],
) -> ReceivedFile:
    """Store the part named ``file``.

    Raises `FileTooLargeError` as soon as it is, `InvalidRequestError` for a bad form, and whatever `check_fields`
    raises; then nothing is stored.
    """
    if content_length is not None and content_length > max_bytes + _MAX_PARTS * _MAX_FIELD_BYTES:
        raise _too_large(max_bytes)
    form = _Form(content_type)
    with await asyncio.to_thread(store.incoming) as incoming:
        async for chunk in body:
            form.feed(chunk)
            if incoming.size + len(form.pending) > max_bytes:
                raise _too_large(max_bytes)
            if len(form.pending) >= WRITE_BYTES:
                await asyncio.to_thread(incoming.write, form.take())
        form.end()
        check_fields(form.fields)
        return await asyncio.to_thread(_store, incoming, form)


@dataclass(frozen=True, slots=True)
class FileHead:
    """The first bytes of a file, and whether it may have more."""

    data: bytes
    truncated: bool
    file_name: str
    fields: dict[str, str]


async def receive_head(body: AsyncIterator[bytes], content_type: str, size: int) -> FileHead:
    """The first `size` bytes of the part named ``file``, as soon as they are here; fields are those before them.

    Raises `InvalidRequestError` for a bad form.
    """
    form = _Form(content_type)
    async for chunk in body:
        form.feed(chunk)
        if len(form.pending) >= size:
            break
    else:
        form.end()
    assert form.file_name is not None
    return FileHead(bytes(form.pending[:size]), len(form.pending) >= size, form.file_name, form.fields)


def _store(incoming: IncomingFile, form: "_Form") -> ReceivedFile:
    incoming.write(form.take())
    assert form.file_name is not None
    return ReceivedFile(incoming.keep(), incoming.size, form.file_name, form.fields)


def _too_large(max_bytes: int) -> FileTooLargeError:
    return FileTooLargeError(f"A file may have {max_bytes:,} bytes.")


def _unreadable(error: FormParserError) -> InvalidRequestError:
    return InvalidRequestError(f"The form cannot be read: {error}")


def shown_name(name: str) -> str:
    """A sender's file name as text to show: the last part of a path, printable, not too long."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable()).strip()[-_MAX_NAME:] or "unnamed"


class _Form:
    """A form as it comes: the bytes of the part ``file`` gather in `pending`, other parts are small fields."""

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or b"boundary" not in options:
            raise InvalidRequestError("The upload must be multipart/form-data with a part named `file`.")
        self._parser = MultipartParser(options[b"boundary"], self._callbacks())  # type: ignore[arg-type]
        self.fields: dict[str, str] = {}
        self.file_name: str | None = None
        self.pending = bytearray()
        self._ended = False
        self._parts = 0
        self._header = b""
        self._value = b""
        self._name = ""
        self._is_file = False
        self._field = bytearray()

    def feed(self, data: bytes) -> None:
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise _unreadable(error) from None

    def end(self) -> None:
        """Raises `InvalidRequestError` where the form or its file is not whole."""
        try:
            self._parser.finalize()
        except FormParserError as error:
            raise _unreadable(error) from None
        if self.file_name is None:
            raise InvalidRequestError("There is no part named `file`.")
        if not self._ended:
            raise InvalidRequestError("The form breaks off.")

    def take(self) -> bytes:
        taken = bytes(self.pending)
        self.pending.clear()
        return taken

    def _callbacks(self) -> dict[str, object]:
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end", "end")
        return {f"on_{name}": getattr(self, f"_{name}") for name in names} | {
            "on_headers_finished": self._headers_finished
        }

    def _part_begin(self) -> None:
        self._parts += 1
        if self._parts > _MAX_PARTS:
            raise InvalidRequestError("The form has too many parts.")
        self._name, self._is_file, self._field = "", False, bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            if self._name == "file":
                if self.file_name is not None:
                    raise InvalidRequestError("One upload holds one file.")
                self._is_file = True
                self.file_name = shown_name(options.get(b"filename", b"").decode("utf-8", "replace"))
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        if not self._name:
            raise InvalidRequestError("A part of the form has no name.")

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.pending += data[start:end]
            return
        self._field += data[start:end]
        if len(self._field) > _MAX_FIELD_BYTES:
            raise InvalidRequestError(f"The field {self._name[:64]!r} is too long.")

    def _part_end(self) -> None:
        if not self._is_file:
            self.fields[self._name] = self._field.decode("utf-8", "replace").strip()

    def _end(self) -> None:
        self._ended = True
