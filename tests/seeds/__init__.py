"""The rows of the five seed systems, and the tests that show them: `python -m tests.seeds` lists both."""
