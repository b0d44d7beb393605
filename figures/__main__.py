"""`python -m figures` is `remanifold`."""

from figures.command import main

if __name__ == "__main__":
    main()
