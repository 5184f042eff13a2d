"""`els`: the service from a shell and on a page, over its HTTP API. The layer of the functions lacks it."""
