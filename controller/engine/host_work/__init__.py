"""What `gdcc host` does: one verb on some hosts, step by step, each step journaled before it is begun.

A verb that takes a host out of service has it drained by the controller first, begins only once it is empty, and gives
it back only after its verification passed. Hosts that are taken out go one after the other; the first that fails is
the last that was begun.
"""
