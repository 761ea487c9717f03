"""Question sets, fitting and measuring. Nothing of the product imports this."""
