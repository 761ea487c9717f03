"""Papers in a new order, by models that read them beside the question."""
