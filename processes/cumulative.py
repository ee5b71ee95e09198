"""Running results along the first axis of an array: as many values come out as went in."""
