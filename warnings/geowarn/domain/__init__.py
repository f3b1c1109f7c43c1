"""The words and rules of the line: standard library only, no I/O, never reads a clock."""
