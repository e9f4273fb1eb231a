"""`reminders demo`: three days with six patients on a stack of its own, told as they happen and checked."""
