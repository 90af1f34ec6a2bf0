"""What operators and machines talk to: a local socket for the CLI, HTTP for metrics and health."""
