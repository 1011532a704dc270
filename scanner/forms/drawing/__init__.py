"""The pieces of a printed form, their places on its pages, and the printing."""
