"""What 05_budgets studies: what each token budget buys, and which budgets to set."""
