"""Every number that is quoted, by command."""
