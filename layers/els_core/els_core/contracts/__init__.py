"""The wire format: inbound and outbound events, SQS records and HTTP answers."""
