"""Releases on the stage of the lab, with users: what `make demo` plays and `make bench-rollback` measures."""
