"""What readers thought of answers: how well they are served, and questions worth keeping."""
