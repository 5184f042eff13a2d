"""Build, bundle and deploy with the SAM CLI."""
