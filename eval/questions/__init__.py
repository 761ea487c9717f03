"""The questions, with what their answers must hold."""
