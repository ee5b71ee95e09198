"""OGC APIs over the collections."""
