"""Frameworks around our client, the real ones, live: each in a process of its own."""
