"""Local servers: Postgres, Valkey, the local AWS and the Lambda runtime."""
