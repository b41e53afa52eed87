"""Exported spans read again and drawn as one page: what calls took, used and cost, and how they ended.

``sources`` reads documents, ``otlp`` and ``jaeger`` make spans of them, ``traces`` puts these together again,
``figures`` adds up what their owners say, and ``page`` draws it.
"""
