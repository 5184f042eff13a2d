"""Real processes, real kills: the built functions under load while everything beneath them breaks."""
