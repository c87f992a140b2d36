"""What the service can do, independent of how it is asked. Knows nothing of HTTP."""
