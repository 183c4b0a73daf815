"""One event as lines of a stream of server-sent events: the usual way, and every other way that clients must read."""

import json
from random import Random

KEEP_ALIVE = b": keep-alive\n\n"


def framed(body: bytes) -> bytes:
    return b"data: " + body + b"\n\n"


def oddly_framed(body: bytes, event_id: str, random: Random) -> bytes:
    """The same event in one of the forms; `body` is one line of JSON."""
    name = event_id.encode()
    match random.randrange(8):
        case 0:
            return b"data:" + body + b"\n\n"
        case 1:
            return b"event: message\nid: " + name + b"\nretry: 3000\ndata: " + body + b"\n\n"
        case 2:
            return b"data: " + json.dumps(body.decode(), ensure_ascii=False).encode() + b"\n\n"
        case 3:
            return b"data: " + body + b"\r\n\r\n"
        case 4:
            return b"data: " + body + b"\r\r"
        case 5:
            lines = json.dumps(json.loads(body), indent=1, ensure_ascii=False).encode().split(b"\n")
            return b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"
        case 6:
            return b": " + name + b"\n: data: not this\ndata: " + body + b"\n\n"
        case _:
            return KEEP_ALIVE + b"weight: 12\nnothing known\ndata\n\ndata: " + body + b"\n\n"
