"""Programs that others have written for the same work, each in an environment of its own."""
