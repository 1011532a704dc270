"""A blank as it was found -> a registered form."""
