"""Spans of other people's packages, recorded from the packages themselves, and the program that records them."""
