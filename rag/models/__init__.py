"""The only place that names torch and transformers: embedder, generator, and where weights are."""
