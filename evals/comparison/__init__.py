"""Two runs of one golden set, question by question."""
