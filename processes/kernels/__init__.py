"""Array code that knows no cubes and no processes: it is given NumPy arrays and gives NumPy arrays."""
