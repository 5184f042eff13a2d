"""Facts and rules of batches, slots and arrivals; standard library only."""
