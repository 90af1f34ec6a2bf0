"""Campaigns beside the loop: which hosts go next, each host's course, and what operators ask of it.

Hosts are drained and given back through the loop's own parts; every step is journaled before it begins and after it
ended, so that a process that died at any instant goes on in the middle and repeats nothing that was done.
"""
