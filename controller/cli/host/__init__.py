"""`gdcc host`: what on-call staff do to hosts, each verb by a playbook of its own.

Exit status: 0 done on every host, 1 not on all of them, 2 nothing was begun (an unknown host, bad settings).
"""
