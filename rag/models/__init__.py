"""Weights: where they are, and the models made of them. Only here torch and its kin are named."""
