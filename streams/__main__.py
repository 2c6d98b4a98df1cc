"""`python -P -m streams` is the console script, for places where only Python is on the path."""

from streams.cli import main

if __name__ == "__main__":
    main()
