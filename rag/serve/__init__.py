"""Doors for programs: HTTP, OpenAI-compatible chat and agent tools, all over one assistant.

Nothing here decides what an answer is: every route hands out `Answer.to_dict()` as it comes.
"""
