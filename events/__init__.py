"""Live events and in-app notifications. Bare until its models arrive."""
