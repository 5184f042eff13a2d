"""Structured logs and embedded metrics."""
