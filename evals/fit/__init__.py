"""Fitting the models that measure: what is learnt from golden data, and how well it does there."""
