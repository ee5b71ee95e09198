"""The order of an array's elements."""
