"""The public catalogue: what MCP servers can do, and the policy to start from."""
