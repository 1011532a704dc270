"""An image becomes the votes of one sheet. No database and no screen in this room."""
