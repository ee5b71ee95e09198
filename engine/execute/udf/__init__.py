"""User-defined functions: code that is not ours, run where it can do no harm (ADR 8)."""

from engine.execute.udf.function import user_function
from engine.execute.udf.source import runtimes

__all__ = ["runtimes", "user_function"]
