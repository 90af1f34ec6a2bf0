"""Effects in their right order, through the protocols of `ports`: observe, trust, guard, migrate, drain, the loop."""
