"""`gdcc campaign`: one change to many hosts as one durable object that is watched, paused, resumed and trusted."""
