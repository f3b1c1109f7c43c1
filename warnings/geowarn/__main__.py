"""`python -m geowarn` is the `geowarn` command."""

from geowarn.cli import main

if __name__ == "__main__":
    main()
