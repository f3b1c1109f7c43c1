"""Readers: each turns one payload into rain fields, or refuses it naming file, place and reason."""
