"""Who an identity provider (OpenID Connect) says that somebody is: tokens, keys, claims, and accounts made of them."""

from engine.identity.claims import Identity
from engine.identity.identities import Identities

__all__ = ["Identities", "Identity"]
