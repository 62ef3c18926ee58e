"""The guard of the tests' order contract."""

from __future__ import annotations

import pytest

from crossrate.rpc.contract import read_contracts
from services.control.json_guard import guard_script
from tests.contract.dynamic import compile_file
from tests.unit.control.guard import ORDERS, Guard


@pytest.fixture(scope="module")
def orders():
    """Descriptor of a contract with every kind of field."""
    return compile_file(ORDERS.read_text())


@pytest.fixture(scope="module")
def guard(orders) -> Guard:
    """The guard of that contract."""
    return Guard(guard_script(read_contracts([orders])))
