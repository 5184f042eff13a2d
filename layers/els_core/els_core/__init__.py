"""Essay Lifecycle Service: gives each essay exactly one slot and announces exactly one final result."""
