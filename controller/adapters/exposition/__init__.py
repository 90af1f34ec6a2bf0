"""The status of the newest turn as Prometheus metrics, from a registry of its own.

A scrape reads one immutable value and touches nothing else. Labels are hosts, racks, feeds and zones of the inventory,
rules, sources and reasons; never a VM, a move or a sentence (`gdcc status` has those).
"""
