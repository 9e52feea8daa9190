"""Running the notebooks, and what is recorded of it."""
