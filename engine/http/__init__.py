"""The one way out: every request of the engine goes through this client, which connects only where it may."""

from engine.http.client import Answer, Client, Failure
from engine.http.egress import GUARDED, Egress, egress_of

__all__ = ["GUARDED", "Answer", "Client", "Egress", "Failure", "egress_of"]
