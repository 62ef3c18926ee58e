"""JSON in one form: the examples of RFC 8785, and what has no form."""

from __future__ import annotations

import json
import math
import struct

import pytest

from crossrate.basics.canonical import canonical_json

NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "becbf647612f3696": "-0.0000033333333333333333",
}


@pytest.mark.parametrize("bits", NUMBERS)
def test_numbers_are_written_as_the_standard_says(bits: str) -> None:
    """Appendix B of RFC 8785; read again they are the same."""
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical_json(value) == NUMBERS[bits]
    assert float(NUMBERS[bits]) == value


def test_names_are_in_order_of_utf_16_and_texts_are_escaped_as_little_as_can_be() -> None:
    """Section 3.2.3, and 3.2.2.2."""
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = canonical_json({name: [True, None] for name in names})
    assert list(json.loads(written)) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert canonical_json({"b": (1, 2.50), "a": "\u20ac$\u000f\nA'B\"\\/"}) == (
        '{"a":"\u20ac$\\u000f\\nA\'B\\"\\\\/","b":[1,2.5]}'
    )


@pytest.mark.parametrize(
    ("value", "error"),
    [(math.nan, ValueError), (math.inf, ValueError), (2**53, ValueError), ("\ud800", ValueError), ({1: 2}, TypeError),
     (b"", TypeError), (object(), TypeError)],
)  # fmt: skip
def test_what_has_no_form_is_refused(value: object, error: type[Exception]) -> None:
    """No number, no text, no JSON."""
    with pytest.raises(error):
        canonical_json([value])
