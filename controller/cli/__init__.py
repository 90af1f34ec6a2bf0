"""The `gdcc` command: one module for each group of verbs; `main` puts them together."""
