"""The words of the domain, as frozen values. No I/O, no clock, no randomness.

A snapshot (`cluster.Cluster`) is columns: one NumPy array a quantity, row i of every array of a table is one thing.
Missing is NaN or -1, never zero.
"""
