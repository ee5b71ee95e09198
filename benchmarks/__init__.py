"""How fast is it, beside what else there is, and beside what the machine can do? `python -m benchmarks` answers."""
