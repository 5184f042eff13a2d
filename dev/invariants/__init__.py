"""The invariants of the service, and the judge that checks them on everything that can be observed."""
