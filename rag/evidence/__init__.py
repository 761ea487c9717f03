"""Which sentences are told, and whether they are enough."""
