"""What the engine does in a second, beside its peers and beside the limit: `make bench`."""
