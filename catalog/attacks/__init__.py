"""Documented attack patterns on agents and MCP servers, as literal tables."""
