"""What guards the pipeline against its input and its own output."""
