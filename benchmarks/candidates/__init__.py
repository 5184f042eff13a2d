"""What is measured: the service itself."""
