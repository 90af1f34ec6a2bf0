"""Alembic's folder: one revision a change of the tables, in `versions`, never edited once released."""
