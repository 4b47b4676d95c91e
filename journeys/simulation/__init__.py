"""Simulation: what a version would have done with past events, in virtual time; nothing is written or sent."""
