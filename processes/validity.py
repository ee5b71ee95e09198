"""What a value is: no-data, NaN, infinite, valid."""
