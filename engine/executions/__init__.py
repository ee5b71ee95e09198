"""OGC processes: what can be executed, what an execution asks for as a process graph, and what came of it."""
