"""What the application holds under load: timelines, and the capacity that they support."""
