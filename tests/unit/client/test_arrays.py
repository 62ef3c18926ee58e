"""Arrays in the SDK."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from crossrate.client.methods import method_of
from tests.array_contract import SERVICE, contracts, kind


def _sent(*args: Any, **fields: Any) -> Any:
    """The request that a method of the SDK sends."""
    return method_of(lambda request, **_: request, contracts()[f"/{SERVICE}/Price"])(*args, **fields)


def test_a_method_takes_arrays_for_its_fields() -> None:
    """Fields by name may be arrays, lists and scalars side by side, numpy's own scalars too."""
    sent = _sent(book="desk", spot=np.array([1.0, 2.0]), strike=[3.0], flat=np.float64(0.1))
    assert sent == kind("PriceRequest")(book="desk", spot=[1.0, 2.0], strike=[3.0], flat=0.1)


def test_an_array_that_does_not_fit_is_named() -> None:
    """An array for a field that holds none is refused with the field's name, and nothing is sent."""
    with pytest.raises(TypeError, match=r"^book is array\(\[1\.\]\) of type ndarray"):
        _sent(book=np.array([1.0]))
    with pytest.raises(TypeError, match=r"no field sport: did you mean spot\?"):
        _sent(sport=np.array([1.0]))


def test_a_request_or_its_fields() -> None:
    """A request goes out as it is; together with fields it is refused."""
    request = kind("PriceRequest")(book="desk")
    assert _sent(request) is request
    with pytest.raises(TypeError, match="takes a request or its fields, not both"):
        _sent(request, spot=np.array([1.0]))
