"""Public data sets: how the parts of the product do on what others wrote. Loaders, not copies.

    citewise eval --public FOLDER [--public-set scifact]

- `rows`: a JSONL file, line by line, against what a set needs of it
- `sources`: SciFact and PubMedQA line by line, for training too
- `retrieval_sets`, `verification_sets`, `answerability_sets`: the loaders, one function a set
- `catalogue`: every set with its files, source and licence
- `subject`: all that is asked of the product: an assistant over given papers, its ports, its rankings
- `ranking`, `support`, `answerability`: the three kinds of measurement
- `results`, `run`: one file a set, measured again only when something changed
"""
