"""Test sends: what a template says to somebody, sent to oneself or to a seed list, marked and counted nowhere."""
