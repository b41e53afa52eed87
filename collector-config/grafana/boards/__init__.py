"""The dashboards as code: `python -m boards`, in the folder above, writes them to `dashboards/`.

One short module per dashboard, each with a `board()`; `queries.py` has what queries have in common, `panels.py` what
panels have, `board.py` puts them together.  A further dashboard is one more module in `catalog.ALL`.
"""
