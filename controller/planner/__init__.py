"""Purely computational: a snapshot, a policy and the time go in, a plan comes out. No I/O, clock or randomness."""
