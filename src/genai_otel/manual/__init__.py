"""Calls that a program reports itself, because they go through no client that is patched.

They take the same way as those of the clients: one span, one owner, the same outcomes and metrics.
"""
