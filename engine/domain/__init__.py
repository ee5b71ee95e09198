"""Where a coverage has values and which they are, as plain values: axes, fields, coordinate reference systems."""
