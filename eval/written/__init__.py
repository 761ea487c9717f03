"""The project's own written questions over other papers: a second collection to measure on."""
