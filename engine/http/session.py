"""A `requests` session whose sockets are opened to the very address that was judged, at every hop."""

from __future__ import annotations

from requests.adapters import BaseAdapter
from ssrfguard import Policy, Resolver
from ssrfguard.requests import SafeAdapter, Session
from urllib3 import Retry

from engine.http.egress import MAX_REDIRECTS, Egress


class GuardedSession(Session):
    """Each hop of a request gets the adapter of the rules that hold for its host.

    An adapter opens sockets by its own rules alone, so that a URL that two parsers read differently still reaches
    nothing that its adapter's rules do not allow. Proxies and credentials of the environment are left alone.
    """

    def __init__(self, egress: Egress, retries: Retry, resolver: Resolver | None = None) -> None:
        self.egress = egress
        self._adapters: dict[Policy, SafeAdapter] = {}
        self._retries = retries
        self._resolver = resolver
        super().__init__(policy=egress.policy(""), resolver=resolver, max_retries=retries)
        self.max_redirects = MAX_REDIRECTS
        self.trust_env = False

    def get_adapter(self, url: str) -> BaseAdapter:
        """The adapter for a URL, after the URL itself was judged."""
        policy = self.egress.policy(url)
        policy.check_url(url)
        if policy not in self._adapters:
            self._adapters[policy] = SafeAdapter(
                policy=policy, resolver=self._resolver, max_retries=self._retries
            )
        return self._adapters[policy]

    def close(self) -> None:
        """Let go of all connections."""
        super().close()
        for adapter in self._adapters.values():
            adapter.close()
