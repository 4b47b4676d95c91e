"""What holds the five apps together: settings, addresses, Celery, embedded services."""
