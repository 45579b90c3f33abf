"""`make bench-scale`: what many canaries cost one operator; see __main__."""
