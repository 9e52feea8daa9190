"""The gate: a candidate's runs against a baseline's, and one verdict with its exit code."""
