"""The tree against published vectors and against RFC 9162's own recursive definitions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossrate.transparency.tree import (
    TILE_WIDTH,
    Frontier,
    ProofError,
    consistency_ranges,
    full_subtrees,
    hash_leaf,
    inclusion_ranges,
    range_root,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from tests.unit.transparency.naive import mth, path, proof

LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")] + [
    bytes.fromhex("5051525354555657"),
    bytes.fromhex("606162636465666768696a6b6c6d6e6f"),
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Roots over the first 0 to 8 leaves, from the test data of the implementations of RFC 6962."""


def hashes(leaves: list[bytes], ranges: list[tuple[int, int]]) -> list[bytes]:
    """A proof out of nodes, each made from the leaves by definition."""
    return [
        range_root(each, {(level, i): mth(leaves[i << level : (i + 1) << level]) for level, i in full_subtrees(*each)})
        for each in ranges
    ]


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_rfc(size: int) -> None:
    """The eight leaves that every implementation of RFC 6962 is tested with have the roots that all have."""
    assert root_of([hash_leaf(leaf) for leaf in LEAVES[:size]]).hex() == ROOTS[size]


def test_proofs_are_those_of_the_rfc() -> None:
    """So do their proofs: of leaf 5 of 8, and that 6 leaves are the beginning of 8."""
    assert [each.hex()[:16] for each in hashes(LEAVES, inclusion_ranges(5, 8))] == [
        "bc1a0643b12e4d2d",
        "ca854ea128ed050b",
        "d37ee418976dd957",
    ]
    assert [each.hex()[:16] for each in hashes(LEAVES, consistency_ranges(6, 8))] == [
        "0ebc5d3437fbe2db",
        "ca854ea128ed050b",
        "d37ee418976dd957",
    ]


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=90), st.data())
@settings(deadline=None, max_examples=150)
def test_proofs_are_the_definitions_and_verify(leaves: list[bytes], data: st.DataObject) -> None:
    """Roots and proofs equal the recursive definitions, verify, and stop verifying when anything of them is changed."""
    size = len(leaves)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    root, old_root = mth(leaves), mth(leaves[:old])
    assert root_of([hash_leaf(leaf) for leaf in leaves]) == root
    inclusion, consistency = (
        hashes(leaves, inclusion_ranges(index, size)),
        hashes(leaves, consistency_ranges(old, size)),
    )
    assert inclusion == path(index, leaves)
    assert consistency == proof(old, leaves)
    leaf = hash_leaf(leaves[index])
    verify_inclusion(index, size, leaf, inclusion, root)
    verify_consistency(old, size, old_root, root, consistency)
    wrong = bytes([root[0] ^ 1]) + root[1:]
    with pytest.raises(ProofError):
        verify_inclusion(index, size, leaf, inclusion, wrong)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, leaf, [*inclusion, wrong], root)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, wrong, inclusion, root)
    with pytest.raises(ProofError):
        verify_consistency(old, size, old_root, wrong, consistency)
    with pytest.raises(ProofError):
        verify_consistency(old, size, old_root, root, [*consistency, wrong])
    if inclusion:
        with pytest.raises(ProofError):
            verify_inclusion(index, size, leaf, inclusion[:-1], root)
    if consistency:
        place = data.draw(st.integers(0, len(consistency) - 1))
        with pytest.raises(ProofError):
            verify_consistency(old, size, old_root, root, [*consistency[:place], wrong, *consistency[place + 1 :]])


def test_tiles_are_every_eighth_level() -> None:
    """What a growing tree gives for tiles are the roots over 256 leaves, each once, in order."""
    leaves = [number.to_bytes(2, "big") for number in range(3 * TILE_WIDTH + 7)]
    frontier, found = Frontier(), []
    for leaf in leaves:
        found += frontier.append(hash_leaf(leaf))
    assert found == [(1, i, mth(leaves[i * TILE_WIDTH : (i + 1) * TILE_WIDTH])) for i in range(3)]
    assert frontier.root() == mth(leaves)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (8, 8), (-1, 3)])
def test_there_are_no_proofs_of_what_is_not_there(index: int, size: int) -> None:
    """A leaf beyond the tree, and a beginning longer than the whole, have none."""
    with pytest.raises(ProofError):
        inclusion_ranges(index, size)
    with pytest.raises(ProofError):
        verify_inclusion(index, size, bytes(32), [], bytes(32))
    with pytest.raises(ProofError):
        consistency_ranges(size + 1, size)
