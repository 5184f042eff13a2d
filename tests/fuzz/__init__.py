"""Random inbound bodies: what the parser makes of them, and whether the rest of the way can take it."""
