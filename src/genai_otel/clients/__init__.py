"""The model clients that we know: one declarative file each.  Importing one imports no client library."""
