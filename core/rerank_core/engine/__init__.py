"""Whatever the world does: batches, the deadline, the cache, retries, limits, and fallback."""
