"""The command line, as `python -m remanifold`."""

from .command.application import main

if __name__ == "__main__":
    main()
