"""The data map: every place that holds something of people, how it is found, handed out and erased."""
