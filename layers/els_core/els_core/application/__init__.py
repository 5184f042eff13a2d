"""The use cases, one per file, and the ports that they rest on."""
