"""Push: which of a person's devices a connector speaks to, and what a browser's subscription takes (Web Push)."""
