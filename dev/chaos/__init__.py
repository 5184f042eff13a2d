"""Chaos tests: the built functions run as real processes under load while faults are injected."""
