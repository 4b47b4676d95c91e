"""Learn: formulas over what the other layers recorded, each written once."""
