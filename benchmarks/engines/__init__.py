"""How each engine is asked: ours through its door, the others as their users do."""
