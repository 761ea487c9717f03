"""Citewise beside its peers: the same papers, questions and models, interleaved in one process tree."""
