"""The invariants, the evidence about a run, and the checks that judge it."""
