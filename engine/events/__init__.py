"""Events: what comes in live from publishers, and what goes out to subscribers and webhooks."""

from engine.events.ledger import Receipt, State
from engine.events.live import Live
from engine.events.messages import Message, message_of
from engine.events.subscriptions import Subscription
from engine.events.webhooks import Delivery, Webhook

__all__ = ["Delivery", "Live", "Message", "Receipt", "State", "Subscription", "Webhook", "message_of"]
