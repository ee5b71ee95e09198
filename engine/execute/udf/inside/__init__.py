"""What runs inside the sandbox: it needs NumPy and xarray, and nothing of this project outside of this folder."""
