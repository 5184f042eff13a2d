"""Postgres, the source of truth: a slot is owned when its transaction has committed."""
