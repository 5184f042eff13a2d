"""Facts and rules about batches, slots and arrivals. Standard library only."""
