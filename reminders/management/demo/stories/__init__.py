"""The six stories. Each function yields the moments at which it goes on; the director moves the clock there."""
