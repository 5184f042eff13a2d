"""The largest of everything, under the memory and the CPU share that the functions have."""
