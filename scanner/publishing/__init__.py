"""A count becomes what leaves the house."""
