"""`gdcc estate`: the cloud's definitions, all stacks or some, by the official Pulumi CLI.

`select` turns options into stacks and a tool, `running` keeps the runs and Ctrl-C, `screen` shows them, and each verb
stands in the module of its name.
"""
