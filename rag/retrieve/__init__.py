"""Papers found for a question: FAISS, BM25, both."""
