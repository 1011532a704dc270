"""A printed design becomes a registered form."""
