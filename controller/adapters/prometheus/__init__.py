"""Readings from Prometheus's HTTP API: one narrow instant query a quantity, each beside the age of what it stands on.

`rate()` still answers for a target that died half a minute ago, so a value counts only together with the newest
sample's own time, asked before the value; a name whose samples have ended has no time, and then no value either.
"""
