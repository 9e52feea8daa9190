"""What 02_retrieval studies: what is found, and how fast."""
