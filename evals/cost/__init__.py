"""What 04_cost studies: what a month costs."""
