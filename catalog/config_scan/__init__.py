"""Scan your config: what the agents of one client can call; secrets stay out."""
