"""Redis, the coordinator: it proposes slots, and everything that it says is a hint."""
