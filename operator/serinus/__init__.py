"""Serinus: a canary controller for Istio whose verdicts stay honest however often it looks."""

__version__ = "0.1.0"
