"""`reminders simulate`: weeks of an invented clinic through the real product, counted."""
