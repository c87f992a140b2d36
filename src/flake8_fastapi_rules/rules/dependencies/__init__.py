"""Parameters and dependencies."""
