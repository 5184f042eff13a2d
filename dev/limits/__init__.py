"""The largest inputs and backlogs, under the memory and the CPU share of the functions."""
