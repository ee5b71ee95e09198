"""The doors of the engine."""
