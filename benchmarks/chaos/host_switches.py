"""Where `host/sitecustomize.py` lies, and by which variable it finds what is wrong with its host."""

from pathlib import Path

SWITCHES_VARIABLE = "REMINDERS_CHAOS_SWITCHES"
HOST_FOLDER = Path(__file__).with_name("host")
