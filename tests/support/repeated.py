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
        at = max(start, len(self._beginning))
        if (wanted := min(stop, repeated) - at) > 0:
            shift = (at - len(self._beginning)) % len(self._piece)
            parts.append(self._piece[shift : shift + wanted])
            wanted -= len(parts[-1])
            parts += [self._piece * (wanted // len(self._piece)), self._piece[: wanted % len(self._piece)]]
        if stop > repeated:
            parts.append(self._end[max(start, repeated) - repeated : stop - repeated])
        return b"".join(parts)
