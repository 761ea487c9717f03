"""Which drafted sentences stand: vetoes, then support."""
