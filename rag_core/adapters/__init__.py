"""The edges: each module speaks to one outside part in that part's own terms."""
