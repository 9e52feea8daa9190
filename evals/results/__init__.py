"""What a study hands on: numbers, tables, pictures, sliders."""
