"""WebSocket by hand: how it begins, and frames that keep to its rules or not."""

import base64
import struct

UPGRADE = (
    b"GET /realtime/?EIO=4&transport=websocket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + base64.b64encode(b"0123456789abcdef") + b"\r\n\r\n"
)


def frame(
    opcode: int, payload: bytes, *, declared: int | None = None, masked: bool = True, more: bool = False, bits: int = 0
) -> bytes:
    """A WebSocket frame, which may lie about its length."""
    size = len(payload) if declared is None else declared
    first = bytes([(0 if more else 0x80) | bits | opcode])
    mask = 0x80 if masked else 0
    if size < 126:
        head = first + bytes([mask | size])
    elif size < 65_536:
        head = first + bytes([mask | 126]) + struct.pack(">H", size)
    else:
        head = first + bytes([mask | 127]) + struct.pack(">Q", size)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def text_frame(text: str) -> bytes:
    """A client's text, as it should be."""
    return frame(1, text.encode())
