"""The study of validity: what checkers notice of wrong claims, and measures of planted faults."""
