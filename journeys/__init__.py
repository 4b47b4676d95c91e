"""Decide: journeys as versioned state machines and the engine that walks them."""
