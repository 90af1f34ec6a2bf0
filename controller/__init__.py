"""The control daemon: it reads hardware and cloud, decides which VMs to move and why, and moves them safely.

Imports run one way: errors, model, planner, engine, then adapters, api and twin side by side, config, bootstrap, cli.
"""
