"""`python -m reminders.management` is the `reminders` command, whatever folder its script was installed in."""

from reminders.management.cli import main

if __name__ == "__main__":
    main(prog_name="reminders")
