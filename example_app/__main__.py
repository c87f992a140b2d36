"""`python -m example_app`."""

from example_app.main import main

if __name__ == "__main__":
    main()
