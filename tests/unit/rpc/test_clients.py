"""Clients of the edge as services see them: roles, accounts, and what nobody may claim."""

from __future__ import annotations

import pytest

from crossrate.api.policy.v1 import policy_pb2
from crossrate.api.trading.v1 import order_entry_pb2, order_pb2, session_pb2
from crossrate.rpc.call import Call
from crossrate.rpc.caller import OPERATOR, Client, Clients
from crossrate.rpc.chain import account_reader, check_grant
from crossrate.rpc.contract import contracts
from crossrate.rpc.errors import ErrorReason, Failure
from crossrate.runtime.topology import ROLES, Topology

SERVICE = "/crossrate.api.trading.v1.TradingService/"


def topology() -> Topology:
    """One client with a desk's accounts and everybody a viewer."""
    return Topology.model_validate(
        {
            "services": {},
            "edge": {"anonymous_roles": ["viewer"]},
            "clients": {"desk": {"roles": ["trader"], "accounts": ["alpha", "spot-*"]}},
        }
    )


def test_the_roles_of_the_topology_are_those_of_the_contract() -> None:
    """One word a role, none left out."""
    names = {name.removeprefix("ROLE_").lower() for name in policy_pb2.Role.keys()}  # noqa: SIM118
    assert names - {"unspecified"} == ROLES


@pytest.mark.parametrize(
    ("header", "name"),
    [(None, ""), ("spiffe://crossrate/client/desk", "desk")],
)
def test_who_the_edge_saw(header: str | None, name: str) -> None:
    """A certificate's identity is a client of the topology; without one it is nobody, who has what everybody has."""
    client = Clients(topology()).of(header)
    assert client is not None
    assert client.name == name
    assert client.roles == ({"viewer", "trader"} if name else {"viewer"})


@pytest.mark.parametrize(
    "header", ["", "-", "desk", "spiffe://crossrate/desk", "spiffe://crossrate/client/", "spiffe://other/client/desk"]
)
def test_what_is_no_client_is_none(header: str) -> None:
    """No other words make a client."""
    assert Clients(topology()).of(header) is None


@pytest.mark.parametrize(
    ("accounts", "account", "allowed"),
    [
        (("alpha",), "alpha", True),
        (("alpha",), "alpha-2", False),
        (("spot-*",), "spot-1", True),
        (("spot-*",), "spot", False),
        (("*",), "anything", True),
        ((), "alpha", False),
    ],
)
def test_grants(accounts: tuple[str, ...], account: str, allowed: bool) -> None:
    """A name, a beginning, or all."""
    assert Client("desk", frozenset(), accounts).may_use(account) is allowed


def test_the_account_is_read_where_the_contract_says() -> None:
    """The sticky field of a method names the account: in the order, in the request, in a session's first message."""
    order = order_entry_pb2.PlaceOrderRequest(order=order_pb2.NewOrder(account="alpha"))
    logon = session_pb2.TradeSessionRequest(logon=session_pb2.SessionLogon(account="beta"))
    found = {}
    for name, request in (("PlaceOrder", order), ("TradeSession", logon)):
        read = account_reader(contracts()[SERVICE + name])
        assert read is not None
        found[name] = read(request)
    assert found == {"PlaceOrder": "alpha", "TradeSession": "beta"}
    assert account_reader(contracts()["/crossrate.api.marketdata.v1.MarketDataService/GetQuote"]) is None


def test_an_account_without_a_grant_is_refused_with_its_name() -> None:
    """Clients are bound to their grants; services and the operator are not, and a message without an account passes."""
    call = Call(contracts()[SERVICE + "PlaceOrder"])
    check_grant(call, "alpha")
    call.client = OPERATOR
    check_grant(call, "alpha")
    call.client = Client("desk", frozenset({"trader"}), ("alpha",))
    check_grant(call, "alpha")
    check_grant(call, "")
    with pytest.raises(Failure) as caught:
        check_grant(call, "beta")
    assert caught.value.reason is ErrorReason.CALLER_NOT_ALLOWED
    assert caught.value.metadata == {"account": "beta", "caller": "client:desk"}
    assert call.principal == "client:desk"
