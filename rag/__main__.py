"""`python -m rag` is `citewise`."""

from rag.cli.main import main

if __name__ == "__main__":
    main()
