"""What is asked: made to stand alone, mended, read for its kind."""
