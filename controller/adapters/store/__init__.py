"""The journal on disk: SQLite by default, PostgreSQL by the same code. Every call commits before it returns.

Nothing outside this folder knows SQL; nothing inside it knows Nova. A failure to write is an error that says which
file and what to do, and the caller then does not act.
"""
