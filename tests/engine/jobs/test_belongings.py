"""What a graph may use of its user's own."""

from __future__ import annotations

from contextlib import closing

from engine.jobs.belongings import account_of, belongings
from engine.records import User
from engine.settings import Settings
from engine.store import Store

READER = "rs_catalog_alice:scenes_read"


def test_roles_that_only_the_token_has_let_a_graph_read(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path / 'store.sqlite'}")) as store:
        store.users.put(User("bob", roles=frozenset({"user"})))
        settings = Settings(home=tmp_path)
        at_hand = belongings(store, settings, User("bob", roles=frozenset({"user", READER})), {})
        assert at_hand.readable.allows("alice", "alice:scenes")
        later = belongings(store, settings, account_of(store, "bob"), {})
        assert not later.readable.allows("alice", "alice:scenes"), (
            "what is done later has the account's roles"
        )
        nobody = belongings(store, settings, account_of(store, "gone"), {})
        assert not nobody.readable.allows("alice", "alice:scenes")
        assert nobody.readable.allows("", "S2")
