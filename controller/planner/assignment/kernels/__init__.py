"""What is compiled: costs and rules of one move, and the loops that try millions of them.

Kernels change the `Assignment` they are given and nothing else; each has its slow twin in `objective`, and tests hold
the two together.
"""
