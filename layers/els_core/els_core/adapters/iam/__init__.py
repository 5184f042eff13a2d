"""Short-lived passwords from AWS IAM."""
