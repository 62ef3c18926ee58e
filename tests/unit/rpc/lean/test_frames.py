"""Frames as they go onto the wire."""

from __future__ import annotations

import pytest

from crossrate.rpc.lean import frames


def parsed(raw: bytes) -> list[tuple[int, int, int, bytes]]:
    """The frames in some bytes: type, flags, stream, payload."""
    found, at = [], 0
    while at < len(raw):
        length = int.from_bytes(raw[at : at + 3], "big")
        payload = raw[at + 9 : at + 9 + length]
        assert len(payload) == length
        found.append((raw[at + 3], raw[at + 4], int.from_bytes(raw[at + 5 : at + 9], "big"), payload))
        at += 9 + length
    return found


def test_each_frame_has_its_form() -> None:
    """Control frames are those of RFC 9113, byte for byte."""
    assert frames.settings([(4, 65_535), (1, 0)]).hex() == "00000c040000000000" + "00040000ffff" + "000100000000"
    assert frames.SETTINGS_ACK.hex() == "000000040100000000"
    assert frames.ping(b"12345678", True).hex() == "000008060100000000" + b"12345678".hex()
    assert frames.ping(b"12345678", False).hex() == "000008060000000000" + b"12345678".hex()
    assert frames.window_update(3, 70_000).hex() == "000004080000000003" + "00011170"
    assert frames.reset(5, 8).hex() == "000004030000000005" + "00000008"
    assert frames.goaway(7, 2, "why").hex() == "00000b070000000000" + "0000000700000002" + b"why".hex()


def test_a_farewell_is_short() -> None:
    """The words of a GOAWAY are cut, so that it is a frame whatever they are."""
    ((kind, _, _, payload),) = parsed(frames.goaway(1, 0, "é" * 10_000))
    assert kind == frames.GOAWAY
    assert len(payload) == 8 + 256


@pytest.mark.parametrize("size", [0, 1, 16_384, 16_385, 32_768, 32_769, 60_000])
@pytest.mark.parametrize("end", [True, False])
def test_a_block_goes_out_in_as_many_frames_as_it_needs(size: int, end: bool) -> None:
    """HEADERS comes first and says whether the stream ends, CONTINUATIONs follow, only the last ends the block."""
    block = bytes(i & 0xFF for i in range(size))
    found = parsed(frames.headers(9, block, end))
    assert b"".join(payload for _, _, _, payload in found) == block
    assert [kind for kind, *_ in found] == [frames.HEADERS] + [frames.CONTINUATION] * (len(found) - 1)
    assert {stream for _, _, stream, _ in found} == {9}
    assert all(len(payload) <= frames.FRAME_BYTES_MAX for *_, payload in found)
    assert bool(found[0][1] & frames.END_STREAM) is end
    assert [bool(flags & frames.END_HEADERS) for _, flags, _, _ in found] == [False] * (len(found) - 1) + [True]


def test_codes_have_names() -> None:
    """A code of a peer's is shown by its name, an unknown one by its number."""
    assert frames.name_of(7) == "REFUSED_STREAM"
    assert frames.name_of(99) == "99"
