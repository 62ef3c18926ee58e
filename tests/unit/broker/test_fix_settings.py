"""What the files of venues and clients may say of their FIX sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.broker.gateway import declared as clients
from services.broker.venues import declared as venues

VENUE = """
[venues.prime]
kind = "fix"
host = "127.0.0.1"
port = 4001
sender_comp_id = "HOUSE"
target_comp_id = "PRIME"
{more}
[[routes]]
venues = ["prime"]
"""
CLIENT = """
[clients.desk]
comp_id = "DESK"
accounts = ["alpha"]
{more}
"""


def venue(more: str = "") -> venues.FixVenue:
    """A venue with further lines."""
    made = venues.parse(VENUE.format(more=more), "venues.toml").venues["prime"]
    assert isinstance(made, venues.FixVenue)
    return made


def client(folder: Path, more: str = "") -> clients.FixClient:
    """A client with further lines."""
    path = folder / "fix_clients.toml"
    path.write_text(CLIENT.format(more=more))
    return clients.load(path).clients["desk"]


def test_by_themselves_sessions_are_as_the_standard_has_them(tmp_path: Path) -> None:
    """Two minutes between the clocks; resets that the peer asks for are followed; unknown fields are kept."""
    for each in (venue(), client(tmp_path)):
        assert (each.clock_s, each.may_reset, each.reset) == (120.0, True, "never")
    assert client(tmp_path).unknown_fields == "keep"


def test_they_may_be_set(tmp_path: Path) -> None:
    """Both files take the tolerance of SendingTime and whether the peer may reset; a client's also unknown fields."""
    lines = "clock_s = 5\nmay_reset = false"
    for each in (venue(lines), client(tmp_path, lines)):
        assert (each.clock_s, each.may_reset) == (5.0, False)
    assert client(tmp_path, 'unknown_fields = "refuse_all"').unknown_fields == "refuse_all"


@pytest.mark.parametrize("when", ["logon", "logout", "disconnect"])
def test_numbers_that_begin_anew_by_themselves_are_refused_with_the_reason(when: str, tmp_path: Path) -> None:
    """Such a session could lose or repeat an order; the error names the field and the remedy."""
    with pytest.raises(venues.VenuesInvalid, match=r"venues\.prime\.reset: .* lose or repeat an order, .* may_reset"):
        venue(f'reset = "{when}"')
    with pytest.raises(clients.FixClientsInvalid, match=r"clients\.desk\.reset: .* lose or repeat an order"):
        client(tmp_path, f'reset = "{when}"')


@pytest.mark.parametrize("seconds", [0.5, 3601])
def test_a_clock_tolerance_is_bounded(seconds: float, tmp_path: Path) -> None:
    """Less than a second would end sessions for nothing, more than an hour would find no clock wrong."""
    with pytest.raises(venues.VenuesInvalid, match="clock_s"):
        venue(f"clock_s = {seconds}")
    with pytest.raises(clients.FixClientsInvalid, match="clock_s"):
        client(tmp_path, f"clock_s = {seconds}")
