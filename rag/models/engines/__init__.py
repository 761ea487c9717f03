"""Torch and OpenVINO: how a model is run."""
