"""The wire format, and nothing else knows it."""
