"""FLOW 1, a question: the only folder that knows all stages."""
