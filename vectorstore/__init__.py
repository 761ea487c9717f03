"""Nearest vectors by id. Knows ids and vectors only: no text, no model, nothing of rag/.

Import `vectorstore.base` for the contract, `vectorstore.faiss_store` for the default store and
`vectorstore.exact` for the oracle; this file imports none, so the contract costs no FAISS.
"""
