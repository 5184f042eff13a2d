"""EventBridge, SQS, IAM tokens and CloudFormation."""
