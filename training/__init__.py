"""How the shipped weights were made. Nothing of the product imports this."""
