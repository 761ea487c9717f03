"""Weights: where they are, and the models made of them. Only here torch, transformers and openvino are named."""
