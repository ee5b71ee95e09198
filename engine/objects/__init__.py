"""Objects: bytes under names, on a disk or in a bucket, with digests that are known without reading them."""

from engine.objects.names import checked
from engine.objects.objects import Objects
from engine.objects.opening import open_objects

__all__ = ["Objects", "checked", "open_objects"]
