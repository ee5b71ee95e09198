"""User-defined functions: code that is not ours, run where it can do no harm (ADR 8)."""

from engine.execute.udf.function import user_function

__all__ = ["user_function"]
