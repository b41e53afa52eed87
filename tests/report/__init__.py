"""Reports of exported spans."""
