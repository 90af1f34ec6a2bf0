"""Ansible playbooks, run by ansible-runner: the port `engine.ports.Playbooks`.

Each run has a folder in memory that goes with it, and leaves a folder of artifacts with every known secret taken out.
Nothing secret stands in an environment, on a command line or in a file that outlives the run.
"""
