"""Asks the questions, of the whole system or with a part taken away."""
