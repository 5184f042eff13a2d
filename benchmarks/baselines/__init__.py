"""Bare loops that the service is compared with."""
