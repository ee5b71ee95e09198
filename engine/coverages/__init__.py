"""Requests for coverages: read, held against what there is, and made process graphs."""
