"""What 06_safety studies: attacks asked alone, behind a fair question, and within a note."""
