"""The coordinator: proposes slots; what it says is a hint."""
