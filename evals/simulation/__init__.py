"""Traffic, and the caches under it: simulated, in closed form, and replayed."""
