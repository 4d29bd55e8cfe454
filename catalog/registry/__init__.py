"""What MCP registries publish (API v0.1), kept in step with them.

All of it is text of strangers: decoded entry by entry, bounded, never trusted.
"""
