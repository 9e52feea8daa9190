"""Caches on Redis or Valkey: an accelerator that may be slow, frozen or gone at any time."""
