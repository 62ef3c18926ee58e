"""Clients of the edge as services see them: roles, accounts, and what nobody may claim."""

from __future__ import annotations

import pytest
from google.protobuf.message import Message

from crossrate.api.ledger.v1 import account_service_pb2
from crossrate.api.policy.v1 import policy_pb2
from crossrate.api.trading.v1 import order_entry_pb2, order_pb2, session_pb2
from crossrate.rpc.caller import CLIENT_HEADER, Clients
from crossrate.rpc.contract import contracts
from crossrate.rpc.errors import ErrorReason, Failure
from crossrate.rpc.grants import OPERATOR, Client, guard, reader
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
    client = Clients(topology()).of({} if header is None else {CLIENT_HEADER: header}, "x", 0.0)
    assert client.name == name
    assert client.roles == ({"viewer", "trader"} if name else {"viewer"})


@pytest.mark.parametrize(
    "header", ["", "-", "desk", "spiffe://crossrate/desk", "spiffe://crossrate/client/", "spiffe://other/client/desk"]
)
def test_what_is_no_client_is_refused(header: str) -> None:
    """No other words make a client."""
    with pytest.raises(Failure) as caught:
        Clients(topology()).of({CLIENT_HEADER: header}, "x", 0.0)
    assert caught.value.reason is ErrorReason.CALLER_NOT_ALLOWED


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


def test_what_a_request_names_is_read_where_the_contract_says() -> None:
    """In the order, in every order of a list, in whichever message of a session; what is not there names nothing."""
    order = order_entry_pb2.PlaceOrderRequest(order=order_pb2.NewOrder(account="alpha"))
    orders = [order_pb2.NewOrder(account="a"), order_pb2.NewOrder(account="b")]
    listed = order_entry_pb2.PlaceOrdersRequest(account="c", orders=orders)
    logon = session_pb2.TradeSessionRequest(logon=session_pb2.SessionLogon(account="beta"))
    found = {}
    for name, request in (("PlaceOrder", order), ("PlaceOrders", listed), ("TradeSession", logon)):
        method = contracts()[SERVICE + name]
        found[name] = [v for path in method.account_fields for v in reader(method.input, path)(request) if v]
    assert found == {"PlaceOrder": ["alpha"], "PlaceOrders": ["c", "a", "b"], "TradeSession": ["beta"]}
    assert guard(contracts()["/crossrate.api.marketdata.v1.MarketDataService/GetQuote"]) is None


def refused(name: str, client: Client, request: Message) -> dict[str, str]:
    """The metadata with which a request is refused; nothing for one that passes."""
    check = guard(contracts()[name])
    assert check is not None
    try:
        check(client, request)
    except Failure as failure:
        return failure.metadata if failure.reason is ErrorReason.CALLER_NOT_ALLOWED else {"reason": str(failure)}
    return {}


def test_what_was_not_granted_is_refused_with_its_name() -> None:
    """Accounts, instruments and desks; the operator is bound to nothing, and what is empty names nothing."""
    name = SERVICE + "PlaceOrder"
    order = order_entry_pb2.PlaceOrderRequest(order=order_pb2.NewOrder(account="alpha", instrument="EUR/USD"))
    other = order_entry_pb2.PlaceOrderRequest(order=order_pb2.NewOrder(account="beta", instrument="EUR/USD"))
    desk = Client("desk", frozenset({"trader"}), ("alpha",))
    assert refused(name, OPERATOR, other) == refused(name, desk, order) == {}
    assert refused(name, desk, order_entry_pb2.PlaceOrderRequest()) == {}
    assert refused(name, desk, other) == {"account": "beta", "caller": "client:desk"}
    yen = Client("desk", frozenset({"trader"}), ("*",), instruments=("USD/JPY", "EUR/*"))
    assert refused(name, yen, order) == {}
    order.order.instrument = "GBP/USD"
    assert refused(name, yen, order) == {"instrument": "GBP/USD", "caller": "client:desk"}
    spot = Client("", frozenset({"admin"}), ("*",), desk="spot", principal="user:1")
    lists = "/crossrate.api.ledger.v1.AccountService/ListAccounts"
    assert refused(lists, spot, account_service_pb2.ListAccountsRequest(desk="spot")) == {}
    assert refused(lists, spot, account_service_pb2.ListAccountsRequest(desk="fwd")) == {
        "desk": "fwd",
        "caller": "user:1",
    }


def test_grants_in_sql_match_what_they_match_here() -> None:
    """A name, a beginning, all, none."""
    assert Client("", frozenset(), ("alpha", "spot-*", "*")).account_patterns == ["alpha", "spot-%", "%"]
    assert Client("", frozenset(), ()).account_patterns == []
