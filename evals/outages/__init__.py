"""A week of users before a provider that fails twice: what they got, and what it cost."""
