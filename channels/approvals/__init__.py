"""How templates stand with the provider that approves them: kept as told, and looked at before anything is sent."""
