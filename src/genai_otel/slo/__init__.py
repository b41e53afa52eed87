"""Objectives of a service in a small file, and the rules of Prometheus that are made of them.

Nothing here runs in a program that is traced: it is what ``genai-otel rules`` uses.
"""
