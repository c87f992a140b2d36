"""Applications and their life cycle."""
