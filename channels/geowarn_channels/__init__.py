"""What carries a bulletin out: one module a channel, found by entry point."""
