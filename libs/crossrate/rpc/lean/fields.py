"""Header blocks to fields and back (HPACK, RFC 7541), quickly, because the peer was asked to keep no table.

We announce a header table of size 0. Once the peer has acknowledged that, a block means the same whenever it comes, and
so does each field in it: the bytes of a field are looked up among those already read, and only what was never seen
is decoded. Blocks that come before the acknowledgement may refer to a table, and go through the `hpack` package.

We send literals without indexing, which need no table at the peer either.
"""

from __future__ import annotations

import re

from hpack import Decoder, HPACKError
from hpack.exceptions import OversizedHeaderListError
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.table import HeaderTable

from crossrate.rpc.lean.frames import Broken, Code, Malformed

Field = tuple[str, str]

LIST_BYTES_MAX = 64 << 10
"""Largest header list taken, by RFC 9113's count: 32 bytes for each field beside its name and value."""
REMEMBERED_MAX = 4096
"""Fields and names remembered; then all are forgotten."""
CUTS_MAX = 4
"""Lengths that the common beginnings of a connection's blocks may have; each method has its own."""
REMEMBERED_BYTES_MAX = 1024
"""A field with more bytes than this is not remembered."""

_VOLATILE = frozenset({"x-request-id", "traceparent", "tracestate", "date"})
"""Fields whose value is another in each call: remembering them would only push out the others."""
_SECRET = frozenset({"authorization", "cookie"})
"""Fields that are remembered nowhere, neither here nor in a table of the peer's."""
_PASSING = _VOLATILE | _SECRET
_OF_A_CONNECTION = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"})
_PSEUDO = frozenset({":authority", ":method", ":path", ":scheme", ":status"})
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+", re.ASCII)
_VALUE = re.compile(r"(?:[^\0\r\n\t ](?:[^\0\r\n]*[^\0\r\n\t ])?)?")

_STATIC: tuple[Field | None, ...] = (None, *((n.decode(), v.decode()) for n, v in HeaderTable.STATIC_TABLE))
_LAST_STATIC = len(_STATIC) - 1
_INDEXED: dict[int, Field | None] = {
    0x80 | index: None if found[0] in _OF_A_CONNECTION else found for index, found in enumerate(_STATIC) if found
}
"""Whole fields by the one byte that names them; None for the one that HTTP/2 does not admit."""


class _Huffman:
    """Decodes Huffman-coded strings byte by byte: a step is (state, byte) -> (state, characters).

    A state is a node of the code's tree. Steps are worked out when first needed and kept: at most 256 × 256.
    """

    def __init__(self) -> None:
        self._children: list[list[int]] = [[0, 0]]
        self._leaf: dict[int, str] = {}
        for symbol, (code, length) in enumerate(zip(REQUEST_CODES, REQUEST_CODES_LENGTH, strict=True)):
            node = 0
            for bit in range(length - 1, -1, -1):
                side = code >> bit & 1
                if not self._children[node][side]:
                    self._children.append([0, 0])
                    self._children[node][side] = len(self._children) - 1
                node = self._children[node][side]
            self._leaf[node] = chr(symbol) if symbol < 256 else ""
        # Padding is at most seven bits of the end-of-string code, all ones (section 5.2).
        node, self._ends = 0, {0}
        for _ in range(7):
            node = self._children[node][1]
            self._ends.add(node)
        self._steps: dict[int, tuple[int, str]] = {}

    def decode(self, raw: bytes) -> str:
        """The string.

        Raises:
            Broken: it is not one.
        """
        state, steps, found = 0, self._steps, ""
        for byte in raw:
            try:
                state, characters = steps[state | byte]
            except KeyError:
                step = steps[state | byte] = self._step(state >> 8, byte)
                state, characters = step
            found += characters
        if state >> 8 not in self._ends:
            raise Broken(Code.COMPRESSION_ERROR, "a Huffman-coded string ends in the middle of a code")
        return found

    def _step(self, node: int, byte: int) -> tuple[int, str]:
        characters = ""
        for bit in range(7, -1, -1):
            node = self._children[node][byte >> bit & 1]
            if node in self._leaf:
                if not self._leaf[node]:
                    raise Broken(Code.COMPRESSION_ERROR, "a Huffman-coded string has an end inside")
                characters += self._leaf[node]
                node = 0
        return node << 8, characters


_huffman = _Huffman()


def _integer(block: bytes, at: int, mask: int) -> tuple[int, int]:
    """An integer whose first bits are those of `mask` (section 5.1), and where it ends."""
    value = block[at] & mask
    at += 1
    if value < mask:
        return value, at
    shift = 0
    while True:
        byte = block[at]
        at += 1
        value += (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 21:
            raise Broken(Code.COMPRESSION_ERROR, "a number in a header block is too large")


def _string(block: bytes, at: int) -> tuple[str, int]:
    """A string (section 5.2), and where it ends."""
    coded = block[at] & 0x80
    length = block[at] & 0x7F
    if length == 0x7F:
        length, at = _integer(block, at, 0x7F)
    else:
        at += 1
    end = at + length
    if end > len(block):
        raise Broken(Code.COMPRESSION_ERROR, "a header block ends in the middle of a string")
    raw = block[at:end]
    return _huffman.decode(raw) if coded else raw.decode("latin-1"), end


def _checked(name: str, value: str) -> Field:
    """The field, if HTTP/2 admits it (RFC 9113, section 8.2).

    Raises:
        Malformed: it does not.
    """
    if name not in _PSEUDO and not _NAME.fullmatch(name):
        raise Malformed(f"{name[:64]!r} is not a name of a field")
    if name in _OF_A_CONNECTION or (name == "te" and value != "trailers"):
        raise Malformed(f"the field {name} has no place in HTTP/2")
    if not _VALUE.fullmatch(value):
        raise Malformed(f"the value of {name} has a character that no value has")
    return name, value


_known: dict[bytes, Field] = {}
"""Fields by their bytes, of all connections: without a table they mean the same everywhere."""
_known_names: dict[bytes, str] = {}
_heads: dict[bytes, tuple[Field, ...]] = {}
"""What blocks have in common, from their beginning to the first volatile field."""


def _name(start: bytes) -> str:
    """The name with which a literal field starts: an index or a string. Remembered if it is one.

    Raises:
        Broken: it cannot be read.
    """
    first = start[0]
    index, at = _integer(start, 0, 0x3F if first & 0x40 else 0x0F)
    if index > _LAST_STATIC:
        raise Broken(Code.COMPRESSION_ERROR, f"a header block names entry {index} of a table that is empty")
    name = _STATIC[index][0] if index else _string(start, at)[0]
    if len(start) <= REMEMBERED_BYTES_MAX and (name in _PSEUDO or _NAME.fullmatch(name)):
        if len(_known_names) >= REMEMBERED_MAX:
            _known_names.clear()
        _known_names[start] = name
    return name


def _literal(raw: bytes, value_at: int) -> Field:
    """One literal field whose value's string starts at `value_at`. Remembered if it can come again.

    Raises:
        Broken: it cannot be read.
        Malformed: HTTP/2 does not admit it.
    """
    start = raw[:value_at]
    name = _known_names.get(start) or _name(start)
    value, _ = _string(raw, value_at)
    if name in _VOLATILE and value.isascii() and value.isprintable() and " " not in value:
        return name, value
    field = _checked(name, value)
    if name not in _PASSING and len(raw) <= REMEMBERED_BYTES_MAX:
        if len(_known) >= REMEMBERED_MAX:
            _known.clear()
        _known[raw] = field
    return field


class FieldReader:
    """Reads the header blocks of one connection."""

    def __init__(self) -> None:
        self._with_table: Decoder | None = Decoder(max_header_list_size=LIST_BYTES_MAX)
        self._cuts: list[int] = []

    def table_is_gone(self) -> None:
        """The peer has acknowledged a table of size 0."""
        self._with_table = None

    def read(self, block: bytes) -> list[Field]:
        """The fields of a block, in its order.

        Raises:
            Broken: the block cannot be read.
            Malformed: a field is none that HTTP/2 admits.
        """
        if self._with_table is not None:
            return self._read_with_table(self._with_table, block)
        try:
            for cut in self._cuts:
                head = _heads.get(block[:cut])
                if head is not None:
                    return _read(block, cut, [*head])[0]
            fields, cut, count = _read(block, 0, [])
        except LookupError:
            raise Broken(
                Code.COMPRESSION_ERROR, "a header block ends in a field, or names an entry of a table"
            ) from None
        if cut:
            self._remember_head(block[:cut], fields[:count])
        return fields

    def _remember_head(self, head: bytes, fields: list[Field]) -> None:
        if len(_heads) >= REMEMBERED_MAX:
            _heads.clear()
        _heads[head] = tuple(fields)
        if len(head) not in self._cuts:
            self._cuts.insert(0, len(head))
            del self._cuts[CUTS_MAX:]

    def _read_with_table(self, decoder: Decoder, block: bytes) -> list[Field]:
        try:
            raw = decoder.decode(block, raw=True)
        except OversizedHeaderListError as error:
            raise Broken(Code.ENHANCE_YOUR_CALM, str(error)) from None
        except (HPACKError, IndexError, ValueError) as error:
            raise Broken(Code.COMPRESSION_ERROR, str(error)) from None
        return [_checked(bytes(name).decode("latin-1"), bytes(value).decode("latin-1")) for name, value in raw]


def _read(block: bytes, at: int, fields: list[Field]) -> tuple[list[Field], int, int]:
    """Reads a block that refers to no table from `at` on, behind the fields that were read before.

    Returns:
        The fields, and where the first volatile one begins and how many there are before it, if these had all been seen
        before; else 0.
    """
    end, cut, count = len(block), -1, 0
    append, known, indexed = fields.append, _known, _INDEXED
    while at < end and 0x20 <= block[at] < 0x40:
        size, at = _integer(block, at, 0x1F)
        if size:
            raise Broken(Code.COMPRESSION_ERROR, "a header table is larger than the agreed 0 bytes")
    while at < end:
        first = block[at]
        if first & 0x80:
            append(indexed[first])
            at += 1
            continue
        if first & 0x60 == 0x20:
            raise Broken(Code.COMPRESSION_ERROR, "the size of a table changes in the middle of a block")
        start = at
        whole = 0x3F if first & 0x40 else 0x0F
        index = first & whole
        if not index:
            length = block[at + 1]
            at += 2 + length
            if length >= 0x80:
                at -= 0x80
            if length & 0x7F == 0x7F:
                length, at = _integer(block, start + 1, 0x7F)
                at += length
        elif index == whole:
            _, at = _integer(block, start, whole)
        else:
            at += 1
        value_at = at
        length = block[at] & 0x7F
        at += 1 + length
        if length == 0x7F:
            length, at = _integer(block, value_at, 0x7F)
            at += length
        raw = block[start:at]
        found = known.get(raw)
        if found is None:
            found = _literal(raw, value_at - start)
            if cut < 0:
                cut, count = (start, len(fields)) if found[0] in _PASSING else (0, 0)
        append(found)
    if at != end:
        raise Broken(Code.COMPRESSION_ERROR, "a header block ends in a field")
    if None in fields:
        raise Malformed("the field transfer-encoding has no place in HTTP/2")
    if end > LIST_BYTES_MAX >> 6:
        _check_size(fields)
    return fields, max(cut, 0), count


def _check_size(fields: list[Field]) -> None:
    size = sum(len(name) + len(value) + 32 for name, value in fields)
    if size > LIST_BYTES_MAX:
        raise Malformed(f"the headers have {size} bytes; the most is {LIST_BYTES_MAX}", Code.ENHANCE_YOUR_CALM)


def request_of(fields: list[Field]) -> dict[str, str]:
    """A request's fields by name, of one that came twice the last, if they make one (RFC 9113, section 8.3.1).

    Raises:
        Malformed: they do not.
    """
    headers = dict(fields)
    count = 4 if ":authority" in headers else 3
    for name, _ in fields[:count]:
        if name not in _PSEUDO:
            raise Malformed("the fields of a request begin with its method, scheme and path")
    if len(headers) != len(fields) or ":status" in headers:
        pseudo = [name for name, _ in fields if name[0] == ":"]
        if len(pseudo) != count or len(set(pseudo)) != count or ":status" in pseudo:
            raise Malformed("a request has a pseudo-header twice, or one that is an answer's")
    if not headers.get(":path") or ":method" not in headers or ":scheme" not in headers:
        raise Malformed("a request lacks its method, scheme or path")
    return headers


def _length(value: int) -> bytes:
    """The length of a string that is not Huffman-coded."""
    if value < 0x7F:
        return bytes((value,))
    rest, out = value - 0x7F, bytearray((0x7F,))
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


_names: dict[str, bytes] = {}


def field(name: str, value: str | bytes) -> bytes:
    """One field as it goes onto the wire. The name is in lower case, and both are known to be well formed."""
    start = _names.get(name)
    if start is None:
        start = (b"\x10" if name in _SECRET else b"\x00") + _length(len(name)) + name.encode("latin-1")
        if len(_names) < REMEMBERED_MAX:
            _names[name] = start
    raw = value if isinstance(value, bytes) else value.encode("latin-1")
    length = len(raw)
    return b"%b%c%b" % (start, length, raw) if length < 0x7F else start + _length(length) + raw
