"""gRPC's layer: timeouts, status messages, metadata and compression as its published description has them."""

from __future__ import annotations

import gzip
import zlib

import grpc
import pytest
from hpack import Decoder
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.rpc.lean import messages
from crossrate.rpc.lean.messages import Refused

METADATA_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30).map(lambda v: v.strip(" "))


def read(block: bytes) -> list[tuple[str, str]]:
    """The fields of a block."""
    return Decoder(max_header_list_size=1 << 20).decode(block)


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        ("1H", 3600),
        ("2M", 120),
        ("3S", 3),
        ("4m", 0.004),
        ("5u", 5e-6),
        ("6n", 6e-9),
        ("0S", 0),
        ("00000001S", 1),
        ("99999999H", 99_999_999 * 3600),
    ],
)
def test_timeouts_are_read(timeout: str, seconds: float) -> None:
    """A timeout is at most eight digits and a unit."""
    assert messages.seconds_of(timeout) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "timeout", ["", "S", "1", "1s", "1h", "-1S", "+1S", "1.5S", " 1S", "1S ", "1S\n", "100000000S", "1SS", "²S", "1e1S"]
)
def test_what_is_no_timeout(timeout: str) -> None:
    """Anything else ends the call with INTERNAL."""
    with pytest.raises(Refused) as caught:
        messages.seconds_of(timeout)
    assert caught.value.code is grpc.StatusCode.INTERNAL


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1e11))
def test_timeouts_are_written_so_that_nobody_gives_up_early(seconds: float) -> None:
    """What is written has at most eight digits and says at least the seconds asked for, and not 1% more."""
    back = messages.seconds_of(messages.timeout_of(seconds))
    assert back * (1 + 1e-9) >= seconds
    assert back <= seconds * 1.01 + 2e-6


@pytest.mark.parametrize("seconds", [float("inf"), 1e30])
def test_no_timeout_is_too_long_to_be_written(seconds: float) -> None:
    """More than eight digits of hours are written as the most that can be."""
    assert messages.timeout_of(seconds) == "99999999H"


def test_a_time_in_the_past_is_no_time() -> None:
    """Nobody sends a negative timeout."""
    assert messages.timeout_of(-1.0) == "0u"


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        ("plain words, and ~signs!", "plain words, and ~signs!"),
        ("100%", "100%25"),
        ("\t\n", "%09%0A"),
        ("é€😀", "%C3%A9%E2%82%AC%F0%9F%98%80"),
        # The published interoperability test of special characters in a status message.
        (
            "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n",
            "%09%0Atest with whitespace%0D%0Aand Unicode BMP %E2%98%BA and non-BMP %F0%9F%98%88%09%0A",
        ),
        ("\x7f", "%7F"),
        ("", ""),
    ],
)
def test_status_messages_are_percent_encoded(message: str, wire: str) -> None:
    """Printable ASCII stands for itself, everything else for its UTF-8 bytes."""
    assert messages.percent_encoded(message) == wire
    assert messages.percent_decoded(wire) == message


@settings(deadline=None, max_examples=40)
@given(st.text())
def test_any_status_message_comes_back(message: str) -> None:
    """Any text survives, and on the wire it is printable ASCII."""
    wire = messages.percent_encoded(message)
    assert wire.isascii()
    assert wire.isprintable()
    assert messages.percent_decoded(wire) == message


def test_half_a_surrogate_is_no_error() -> None:
    """Text that no encoding knows does not keep a status from being sent."""
    assert messages.percent_decoded(messages.percent_encoded("a\ud800b")).startswith("a")


def test_a_message_that_was_not_encoded_is_read_as_it_was_meant() -> None:
    """Some peers send UTF-8 as it is."""
    assert messages.percent_decoded("häh".encode().decode("latin-1")) == "häh"


@pytest.mark.parametrize("wire", ["%", "%4", "%zz", "100%", "%%", "a%2", "%F"])
def test_what_is_no_percent_encoding_is_kept(wire: str) -> None:
    """A message that is not well formed is shown as it came."""
    assert messages.percent_decoded(wire) == wire


def test_bytes_that_are_no_text_are_no_error() -> None:
    """Bytes that are not UTF-8 are replaced."""
    assert messages.percent_decoded("%ff%41") == "\N{REPLACEMENT CHARACTER}A"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("YQ", [b"a"]),
        ("YQ==", [b"a"]),
        ("YQ,YmI=,Y2Nj", [b"a", b"bb", b"ccc"]),
        ("YQ, YmI=", [b"a", b"bb"]),
        ("", [b""]),
        ("YQ,", [b"a", b""]),
        ("AP8", [b"\x00\xff"]),
    ],
)
def test_binary_metadata_is_read(value: str, found: list[bytes]) -> None:
    """A value is base64 with or without padding, and several may stand in one field."""
    assert messages.metadata_of([("k-bin", value)]) == tuple(("k-bin", raw) for raw in found)


@pytest.mark.parametrize("value", ["!", "A", "YQ=A", "Y Q", "YQ-_", "é", "====A"])
def test_what_is_no_base64(value: str) -> None:
    """Another value ends the call with INTERNAL and names the key."""
    with pytest.raises(Refused, match="k-bin") as caught:
        messages.metadata_of([("k-bin", value)])
    assert caught.value.code is grpc.StatusCode.INTERNAL


def test_grpcs_own_fields_are_no_metadata() -> None:
    """What is HTTP's or gRPC's is not shown; what came twice is shown twice, in order."""
    kept = [("user-agent", "x"), ("a", "1"), ("b", "2"), ("a", "3")]
    others = [(name, "v") for name in sorted(messages.RESERVED)]
    assert messages.metadata_of(others + kept) == tuple(kept)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.from_regex(r"[a-z0-9_.-]{1,12}", fullmatch=True), METADATA_VALUES), max_size=5))
def test_metadata_come_back(metadata: list[tuple[str, str]]) -> None:
    """Text and bytes under any key go out as fields that mean the same to the reader."""
    metadata = [(key, value) for key, value in metadata if key not in messages.RESERVED and not key.endswith("-bin")]
    binary = [(f"{key}-bin", value.encode()) for key, value in metadata]
    block = messages.metadata_block([*metadata, *binary])
    assert messages.metadata_of(read(block)) == (*metadata, *binary)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("", "v"),
        ("Upper", "v"),
        ("a b", "v"),
        ("ä", "v"),
        (":path", "v"),
        ("grpc-status", "0"),
        ("te", "x"),
        ("k", "a\nb"),
        ("k", "é"),
        ("k", b"\xff"),
        ("k", 7),
        (7, "v"),
        ("k-bin", 7),
        ("k", None),
    ],
)
def test_metadata_that_cannot_be_sent(key: object, value: object) -> None:
    """A key or value that the wire cannot carry is a ValueError for whoever sets it."""
    with pytest.raises(ValueError, match="metadata"):
        messages.metadata_block([(key, value)])


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_messages_come_back(encoding: str) -> None:
    """Both encodings go both ways, and are what others take for them."""
    for message in (b"", b"a", b"ab" * 50_000, bytes(range(256)) * 9):
        packed = messages.compress(message, encoding)
        assert messages.decompress(packed, encoding, len(message)) == message
        assert (gzip.decompress if encoding == "gzip" else zlib.decompress)(packed) == message


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_message_must_be_whole(encoding: str) -> None:
    """Cut anywhere, followed by anything, or changed, it ends the call with INTERNAL."""
    packed = messages.compress(b"hello, hello, hello", encoding)
    broken = [packed[:end] for end in range(len(packed))] + [packed + b"x", packed + packed]
    broken += [b"\xff" + packed[1:], packed[:-1] + bytes((packed[-1] ^ 1,)), b"not packed at all"]
    for message in broken:
        with pytest.raises(Refused) as caught:
            messages.decompress(message, encoding, 1000)
        assert caught.value.code is grpc.StatusCode.INTERNAL


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_message_that_swells_is_refused_at_the_limit(encoding: str) -> None:
    """What unpacks to more than the limit is not unpacked further; what has exactly the limit is read."""
    packed = messages.compress(bytes(10_000_000), encoding)
    with pytest.raises(Refused) as caught:
        messages.decompress(packed, encoding, 9_999_999)
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert len(messages.decompress(packed, encoding, 10_000_000)) == 10_000_000
    with pytest.raises(Refused):
        messages.decompress(messages.compress(b"a", encoding), encoding, 0)


@pytest.mark.parametrize("encoding", ["", "identity", "br"])
def test_a_compressed_message_needs_an_encoding(encoding: str) -> None:
    """A compressed message without a known encoding ends the call with INTERNAL."""
    with pytest.raises(Refused) as caught:
        messages.decompress(b"x", encoding, 10)
    assert caught.value.code is grpc.StatusCode.INTERNAL


def test_codes_of_statuses() -> None:
    """Each code has its number, and any other word means UNKNOWN."""
    assert [messages.code_of(str(code.value[0])) for code in grpc.StatusCode] == list(grpc.StatusCode)
    assert {messages.code_of(word) for word in ("", "17", "-1", "x", "00", "1 ")} == {grpc.StatusCode.UNKNOWN}


def test_trailers_of_a_status() -> None:
    """A status is its number, its message if there is one, and the metadata."""
    block = messages.status_block(5, "not there: 5%", (("a-bin", b"\x00"),))
    assert read(block) == [("grpc-status", "5"), ("grpc-message", "not there: 5%25"), ("a-bin", "AA")]
    assert read(messages.status_block(0, "", None)) == [("grpc-status", "0")]
