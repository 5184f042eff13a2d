"""Builds, bundles and deploys the template with the SAM CLI, and talks to what was deployed."""
