"""What the use cases need from outside. Bulk is the normal case: sequences in, answers out in order."""
