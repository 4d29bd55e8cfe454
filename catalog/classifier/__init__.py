"""What a tool can do, from its definition alone: deterministic, explained, no I/O."""
