"""A small real MCP server of payments and tickets, to try policies on.

It is a program of its own (`python -m servers.sandbox`), shares nothing with the rest
of the product and forgets everything when it ends.
"""
