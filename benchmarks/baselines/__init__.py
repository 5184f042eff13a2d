"""What the service is compared with: the least code that does the same work on the same servers."""
