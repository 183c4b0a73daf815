"""Files of any size that take no memory."""

import io


class Repeated(io.RawIOBase):
    """A file of a beginning, a piece that comes many times, and an end; it takes no memory."""

    def __init__(self, beginning: bytes, piece: bytes, times: int, end: bytes = b"") -> None:
        self._beginning, self._piece, self._end = beginning, piece, end
        self._size = len(beginning) + len(piece) * times + len(end)
        self._at = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        stop = min(self._at + size, self._size)
        start, self._at = self._at, stop
        repeated = self._size - len(self._end)
        parts = [self._beginning[start:stop]]
        if (first := max(start, len(self._beginning)) - len(self._beginning)) < repeated - len(self._beginning):
            shift, wanted = first % len(self._piece), min(stop, repeated) - len(self._beginning) - first
            if wanted > 0:
                parts.append((self._piece * (wanted // len(self._piece) + 2))[shift : shift + wanted])
        if stop > repeated:
            parts.append(self._end[max(start, repeated) - repeated : stop - repeated])
        return b"".join(parts)
