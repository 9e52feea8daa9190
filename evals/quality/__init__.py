"""What 01_quality studies: the answers to the golden questions."""
