"""What 03_cache studies: hits, staleness and lifetimes."""
