"""The dead-letter queues."""
