"""Postgres, which decides: what its transactions commit is true."""
