"""Catalogues of owners: collections and items that belong to somebody, with the files that come along."""

from engine.owners.owners import Owners

__all__ = ["Owners"]
