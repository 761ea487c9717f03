"""Files of questions in, answers out, resumable."""
