"""Care for connectors: rates, quotas and spending kept exactly for all workers together, a breaker for providers in
trouble, and the counts by which people see how each fares."""
