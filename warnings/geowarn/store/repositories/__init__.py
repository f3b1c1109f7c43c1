"""One small class for each repository protocol of `geowarn.ports`."""
