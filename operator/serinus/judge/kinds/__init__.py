"""One file a kind of metric: what is remembered of it, and which bets a tick settles."""
