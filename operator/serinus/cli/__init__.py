"""The `serinus` program."""
