"""Anchors: what the ledgers held at a time, told outside the database and signed (DESIGN §2.9).

Whoever may write to the database may rewrite a hash chain to its end. So once an hour the hash of every new entry,
and a Merkle root over the heads of all chains, goes into a folder that the database does not reach, under a
signature whose key it does not hold.
"""
