"""Transparency logs: the Merkle tree, signed checkpoints, proofs, the witness, and the check of an exported log.

Knows no service: hashes, Ed25519, text, and the contract's header of a fact. Formats are public ones: RFC 6962 (9162)
for tree and proofs, C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature and tlog-witness for what is
signed and exchanged.
"""
