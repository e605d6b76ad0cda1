"""``python -m engine.cli``: the command line without its entry point."""

from engine.cli.main import main

if __name__ == "__main__":
    main()
