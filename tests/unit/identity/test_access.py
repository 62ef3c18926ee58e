"""What somebody may do, as sets: nothing that is cut to a limit is more than either."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crossrate.api.policy.v1 import policy_pb2
from services.identity.domain.access import EVERYTHING, NOTHING, ROLES, Access, common, covers

NAMES = st.text("ab", max_size=3)
PATTERNS = st.one_of(NAMES.filter(bool), NAMES.map(lambda name: f"{name}*"))
SETS = st.frozensets(PATTERNS, max_size=4)
ACCESS = st.builds(Access, st.frozensets(st.sampled_from(ROLES)), SETS, SETS)


def allows(patterns: frozenset[str], name: str) -> bool:
    """The meaning of a set of patterns."""
    return any(covers(pattern, name) for pattern in patterns)


def test_roles_are_those_of_the_contract() -> None:
    """The words in tokens are the names of the contract's roles, in its order."""
    names = [name.removeprefix("ROLE_").lower() for name in policy_pb2.Role.keys()[1:]]
    assert list(ROLES) == names


@given(SETS, SETS, NAMES.filter(bool))
def test_the_common_part_allows_what_both_allow(one: frozenset[str], other: frozenset[str], name: str) -> None:
    """For every name: the common patterns allow it exactly if both sets do."""
    assert allows(common(one, other), name) == (allows(one, name) and allows(other, name))


@given(ACCESS, ACCESS)
def test_adding_and_taking_away_are_of_sets(one: Access, other: Access) -> None:
    """What is added is there, what is taken away is not, and neither order nor repetition matters."""
    both = one.plus(other)
    assert both == other.plus(one) == both.plus(other)
    assert both.minus(other).plus(other) == both
    assert not both.minus(other).roles & other.roles
    assert one.within(EVERYTHING) == one
    assert one.within(NOTHING) == NOTHING
    assert one.within(other).roles <= one.roles


@given(ACCESS, ACCESS)
def test_a_limit_never_widens(one: Access, limit: Access) -> None:
    """Cut twice it is the same, and it adds nothing."""
    cut = one.within(limit)
    assert cut.within(limit).roles == cut.roles
    for pattern in cut.accounts:
        assert any(covers(wide, pattern) for wide in one.accounts)
        assert any(covers(wide, pattern) for wide in limit.accounts)
