"""The data layer: engine, sessions, models and repositories. It contains no try/except."""
