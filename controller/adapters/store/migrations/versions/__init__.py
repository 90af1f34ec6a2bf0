"""The journal's revisions, oldest first by file name."""
