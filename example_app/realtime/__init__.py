"""Live notifications: who listens, and how they are served."""
