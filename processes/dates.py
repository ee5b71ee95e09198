"""Dates and times, as texts of RFC 3339 and as labels."""
