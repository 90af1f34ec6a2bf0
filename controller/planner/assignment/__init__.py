"""Items to bins at the least cost under hard rules: a search over columns of numbers that knows no cloud.

Purely computational: no I/O, no clock, and no chance but what a seed gives; when to stop comes in as a callable.
"""
