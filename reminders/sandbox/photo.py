"""The picture that every phone in the sandbox sends: a dark spot on skin, drawn here so that no file is shipped."""

import struct
import zlib
from functools import cache

PHOTO_TYPE = "image/png"
SIDE = 96


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@cache
def photo_bytes() -> bytes:
    """Return a valid PNG of 96 by 96 pixels."""
    rows = bytearray()
    middle = SIDE / 2
    for y in range(SIDE):
        rows.append(0)  # no filter on this row
        for x in range(SIDE):
            near = max(0.0, 1 - ((x - middle) ** 2 + (y - middle) ** 2) ** 0.5 / middle)
            rows += bytes((int(232 - 110 * near), int(190 - 120 * near), int(172 - 50 * near)))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows))) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
