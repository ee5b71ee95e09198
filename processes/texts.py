"""Texts: Unicode, and patterns in linear time."""
