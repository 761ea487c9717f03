"""Strings only: no paper, no model."""
