"""What the machine can do: scripts written by hand for one task each, with nothing general about them."""
