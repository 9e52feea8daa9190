"""Classes of questions: whether the rules tell the one that people mean."""
