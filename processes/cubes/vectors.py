"""Vector cubes: made, moved, sampled."""
