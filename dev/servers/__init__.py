"""Local servers: Postgres, Valkey, a local AWS and Lambda runtimes. All but the last run on macOS too."""
