"""`make demo`: the twin and the daemon as two programs of their own, three problems, and their cure by live migrations.

What it shows comes over the same interfaces that operators use (the socket, the journal's moves) and, as a second
opinion, from the twin's ground truth. `verdict` is pure and decides the exit status; `screen` only draws.
"""
