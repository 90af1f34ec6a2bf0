"""One rule a file: what it refuses, why, and what to do instead. Purely computational."""
