"""Many sheets become a count."""
