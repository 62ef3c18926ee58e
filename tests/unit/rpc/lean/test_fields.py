"""Header blocks: what the lean transport reads is what the `hpack` package reads, and nothing that is not a block."""

from __future__ import annotations

import contextlib
import random

import pytest
from hpack import Decoder, Encoder
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.rpc.lean import fields
from crossrate.rpc.lean.fields import LIST_BYTES_MAX, FieldReader, field
from crossrate.rpc.lean.frames import Broken, Code, Malformed

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)
NAMES = st.one_of(
    st.sampled_from(
        [":path", ":method", ":authority", "te-x", "content-type", "x-request-id", "authorization", "date"]
    ),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789-_.", min_size=1, max_size=40),
).filter(lambda name: name not in {"connection", "upgrade", "te"})
EDGE = st.characters(min_codepoint=33, max_codepoint=255)
VALUES = st.one_of(
    st.just(""),
    st.text(EDGE, max_size=20),
    st.builds(lambda a, b: f"{a} \t{b}", st.text(EDGE, min_size=1), st.text(EDGE, min_size=1)),
    st.integers(120, 300).map(lambda n: "v" * n),
)
LISTS = st.lists(st.tuples(NAMES, VALUES), max_size=12)


def reader_without_table() -> FieldReader:
    """A reader whose peer has acknowledged that there is no table."""
    reader = FieldReader()
    reader.table_is_gone()
    return reader


def broken_by(block: bytes, table: bool = False) -> Code:
    """The code that a block ends the connection with."""
    reader = FieldReader() if table else reader_without_table()
    with pytest.raises(Broken) as caught:
        reader.read(block)
    return caught.value.code


def encoded(listed: list[tuple[str, str]], huffman: bool, encoder: Encoder | None = None) -> bytes:
    """The block of some fields; without an encoder of its own, one that has no table."""
    if encoder is None:
        encoder = Encoder()
        encoder.header_table_size = 0
        # The size update has gone out with a block before.
        encoder.encode([(":method", "GET")])
    return encoder.encode([(n.encode("latin-1"), v.encode("latin-1")) for n, v in listed], huffman=huffman)


@settings(deadline=None, max_examples=40)
@given(LISTS, st.booleans())
def test_what_an_encoder_without_a_table_writes_is_read(listed: list[tuple[str, str]], huffman: bool) -> None:
    """A block of a peer that keeps no table means its fields, Huffman-coded or not, also when it comes again."""
    reader, block = reader_without_table(), encoded(listed, huffman)
    assert reader.read(block) == listed
    assert reader.read(block) == listed


@settings(deadline=None, max_examples=40)
@given(st.lists(LISTS, max_size=4), st.booleans())
def test_what_an_encoder_with_a_table_writes_is_read(lists: list[list[tuple[str, str]]], huffman: bool) -> None:
    """Until the peer has acknowledged our settings its blocks may refer to a table, across blocks."""
    reader, encoder = FieldReader(), Encoder()
    assert [reader.read(encoded(listed, huffman, encoder)) for listed in lists] == lists


@settings(deadline=None, max_examples=40)
@given(LISTS)
def test_what_is_written_is_read_by_others(listed: list[tuple[str, str]]) -> None:
    """Fields that we write are those that the `hpack` package reads, and add nothing to its table."""
    decoder = Decoder()
    block = b"".join(field(name, value) for name, value in listed)
    raw = decoder.decode(block, raw=True)
    assert [(bytes(n).decode("latin-1"), bytes(v).decode("latin-1")) for n, v in raw] == listed
    assert not decoder.header_table.dynamic_entries


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 256, 16_383, 16_384, 16_511, 16_512, 60_000])
def test_lengths_around_every_border_go_both_ways(size: int) -> None:
    """A string's length may need one byte or several; a value of any of these lengths is written and read."""
    block = field("x-long", "v" * size)
    assert reader_without_table().read(block) == [("x-long", "v" * size)]
    assert Decoder(max_header_list_size=1 << 20).decode(block) == [("x-long", "v" * size)]
    assert reader_without_table().read(field("x" * (size or 1), "1")) == [("x" * (size or 1), "1")]


@settings(deadline=None, max_examples=40)
@given(LISTS.filter(bool), st.booleans(), st.booleans())
def test_a_block_that_is_cut_off_is_an_error_or_fewer_fields(
    listed: list[tuple[str, str]], huffman: bool, table: bool
) -> None:
    """Cut anywhere, a block is either the fields before the cut or a COMPRESSION_ERROR; nothing else is raised."""
    block, ends = encoded(listed, huffman), set()
    for end in range(len(block)):
        reader = FieldReader() if table else reader_without_table()
        try:
            found = reader.read(block[:end])
        except Broken as broken:
            ends.add(broken.code)
        else:
            assert found == listed[: len(found)]
            assert len(found) < len(listed)
    assert ends <= {Code.COMPRESSION_ERROR}


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_are_fields_or_an_error(block: bytes, table: bool) -> None:
    """Whatever bytes come as a block, reading them raises Broken or Malformed or nothing."""
    reader = FieldReader() if table else reader_without_table()
    with contextlib.suppress(Broken, Malformed):
        assert all(name and isinstance(value, str) for name, value in reader.read(block))


def test_both_ways_of_reading_agree_on_random_blocks() -> None:
    """A block read without the table means what it means to a reader with a table that is still empty."""
    chance = random.Random(7541)
    agreed = 0
    for _ in range(3000):
        name = "".join(chance.choices("abcxyz-", k=chance.randrange(1, 9)))
        parts = [
            bytes((0x80 | chance.randrange(1, 62),)),
            bytes((chance.choice((0x00, 0x10)) | chance.randrange(1, 15), 1, chance.randrange(97, 123))),
            bytes((chance.choice((0x00, 0x10)), len(name))) + name.encode() + b"\x03abc",
        ]
        block = b"".join(chance.choices(parts, k=4))
        found = []
        for reader in (FieldReader(), reader_without_table()):
            try:
                found.append(reader.read(block))
            except Malformed as malformed:
                found.append(malformed.code)
        assert found[0] == found[1], block.hex()
        agreed += isinstance(found[0], list)
    assert agreed > 1000


@pytest.mark.parametrize(
    ("block", "fields_read"),
    [
        ("82", [(":method", "GET")]),
        ("bd", [("www-authenticate", "")]),
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", [("custom-key", "custom-header")]),
        ("040c2f73616d706c652f70617468", [(":path", "/sample/path")]),
        ("100870617373776f726406736563726574", [("password", "secret")]),
        ("418cf1e3c2e5f23a6ba0ab90f4ff", [(":authority", "www.example.com")]),
        ("0f2e0161", [("www-authenticate", "a")]),
        ("2082", [(":method", "GET")]),
        ("202082", [(":method", "GET")]),
        ("", []),
        ("20", []),
        ("007f8000" + "61" * 127 + "00", [("a" * 127, "")]),
        ("007f808000" + "61" * 127 + "00", [("a" * 127, "")]),
    ],
)
def test_the_examples_of_the_standard(block: str, fields_read: list[tuple[str, str]]) -> None:
    """Single representations of RFC 7541's appendix C, numbers with idle bytes, and updates to size 0 are read."""
    assert reader_without_table().read(bytes.fromhex(block)) == fields_read


@pytest.mark.parametrize(
    "block",
    [
        "80",  # index 0
        "be",  # index 62, the first of a table
        "ff00",  # index 127
        "ff80808001",
        "7f000161",  # a literal whose name is entry 63
        "0f2f0161",  # entry 62
        "0f",  # a name's index that does not go on
        "0f80808080800161",  # a number that is too large
        "007f8080808080",
        "21",  # a table of one byte
        "3fe11f",  # a table of 4096 bytes
        "8220",  # a size update in the middle
        "0001",
        "000161",
        "00016101",
        "0001617f",
        "00016181ff",  # padding of eight bits
        "0001618100",  # padding of zeros
        "00016184ffffffff",  # an end of string inside
        "00ff",
        "0f2e",
    ],
)
def test_what_is_no_block_ends_the_connection(block: str) -> None:
    """Indexes into an empty table, numbers without an end, and strings that are cut off are COMPRESSION_ERRORs."""
    assert broken_by(bytes.fromhex(block)) is Code.COMPRESSION_ERROR


@pytest.mark.parametrize("block", ["80", "be", "8220", "000161", "0001618100", "00016184ffffffff", "3fe2ff01"])
def test_what_is_no_block_ends_the_connection_with_a_table_too(block: str) -> None:
    """The same holds before the acknowledgement, where a table may be used but not one larger than 4096 bytes."""
    assert broken_by(bytes.fromhex(block), table=True) is Code.COMPRESSION_ERROR


def test_a_table_is_no_more_once_its_end_is_acknowledged() -> None:
    """An entry that was added before the acknowledgement is an error to refer to after it."""
    reader, encoder = FieldReader(), Encoder()
    block = encoder.encode([("x-kept", "1")])
    assert reader.read(block) == [("x-kept", "1")]
    assert reader.read(b"\xbe") == [("x-kept", "1")]
    reader.table_is_gone()
    with pytest.raises(Broken):
        reader.read(b"\xbe")
    # Literals that would be added to a table are fields like others.
    assert reader.read(block) == [("x-kept", "1")]
    with pytest.raises(Broken):
        reader.read(b"\xbe")


@pytest.mark.parametrize("table", [True, False])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", "v"),
        ("Upper", "v"),
        ("with space", "v"),
        ("with\x00zero", "v"),
        ("späth", "v"),
        (":unknown", "v"),
        (":", "v"),
        ("a:b", "v"),
        ("x", " led by a space"),
        ("x", "followed by a tab\t"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\0b"),
        ("x-request-id", "a\nb"),
        ("traceparent", " a"),
        ("connection", "close"),
        ("keep-alive", "1"),
        ("proxy-connection", "close"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("te", "gzip"),
        ("te", ""),
        ("te", "trailers, deflate"),
    ],
)
def test_fields_that_http_does_not_admit(name: str, value: str, table: bool) -> None:
    """A name or value of forbidden characters, or a field of a connection, ends its stream and is not remembered."""
    block = b"\x00" + fields._length(len(name)) + name.encode("latin-1")
    block += fields._length(len(value)) + value.encode("latin-1")
    reader = FieldReader() if table else reader_without_table()
    for _ in range(2):
        with pytest.raises(Malformed) as caught:
            reader.read(block)
        assert caught.value.code is Code.PROTOCOL_ERROR


def test_te_may_ask_for_trailers() -> None:
    """The one value of te that HTTP/2 knows is read."""
    assert reader_without_table().read(field("te", "trailers")) == [("te", "trailers")]


def test_a_list_of_headers_has_a_largest_size() -> None:
    """Each field counts 32 bytes beside its own; a list over the limit ends the stream, or with a table the
    connection."""
    most = LIST_BYTES_MAX // (len("cookie") + 1 + 32)
    assert len(reader_without_table().read(field("cookie", "c") * most)) == most
    with pytest.raises(Malformed) as caught:
        reader_without_table().read(field("cookie", "c") * (most + 1))
    assert caught.value.code is Code.ENHANCE_YOUR_CALM
    with pytest.raises(Malformed):
        reader_without_table().read(b"\x90" * (2 * LIST_BYTES_MAX))
    assert broken_by(field("cookie", "c") * (most + 2), table=True) is Code.ENHANCE_YOUR_CALM
    with pytest.raises(Malformed):
        reader_without_table().read(b"\x90" * (LIST_BYTES_MAX >> 6 << 1))


def test_what_is_remembered_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields that never come again do not fill memory: there is a most, and a length above which none is kept."""
    monkeypatch.setattr(fields, "REMEMBERED_MAX", 50)
    monkeypatch.setattr(fields, "_known", {})
    monkeypatch.setattr(fields, "_known_names", {})
    reader = reader_without_table()
    for number in range(500):
        reader.read(field("x-number", str(number)) + field(f"x-{number}", "v") + field("x-long", "v" * 1100))
        reader.read(field("x-request-id", str(number)))
        assert len(fields._known) <= 50
        assert len(fields._known_names) <= 50
    assert fields._known
    assert not any(name in {"x-request-id", "x-long"} for name, _ in fields._known.values())


def test_secrets_are_marked() -> None:
    """A credential goes out as a literal that no one on the way may index."""
    assert field("authorization", "Bearer x")[0] == 0x10
    assert field("accept", "x")[0] == 0x00


def test_secrets_are_not_remembered() -> None:
    """A token is read each time anew, and no table holds it."""
    reader = FieldReader()
    reader.table_is_gone()
    block = field("authorization", "Bearer abcdef-only-here") + field("x-other", "also-only-here")
    for _ in range(2):
        assert reader.read(block) == [("authorization", "Bearer abcdef-only-here"), ("x-other", "also-only-here")]
    kept = b" ".join((*fields._known, *fields._heads))
    assert b"abcdef-only-here" not in kept
    assert b"also-only-here" in kept
