"""The answer that a custom resource owes CloudFormation."""
