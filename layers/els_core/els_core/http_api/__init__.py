"""The HTTP door: from requests to use cases and back; problems are RFC 9457."""
