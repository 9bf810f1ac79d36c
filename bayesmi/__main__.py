"""`python -m bayesmi`."""

from bayesmi.cli import main

if __name__ == "__main__":
    main()
