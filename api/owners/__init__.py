"""The catalogue of owners: collections and items by owner and id, with their files."""
