"""The STAC API: collections, items, searches, and changes of them."""
