"""The outbound bus."""
