"""Work for users, in processes of its own: what reads, computes or writes pixels can end without taking a server along."""
