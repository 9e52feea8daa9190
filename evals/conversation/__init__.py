"""Conversations: whether follow-ups find what they would find if they were asked in full."""
