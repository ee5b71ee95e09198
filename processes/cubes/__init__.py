"""Processes on whole cubes."""
