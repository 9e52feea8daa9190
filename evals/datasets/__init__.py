"""The data that is measured on: golden questions and retrieval collections."""
