"""Knowledge of FastAPI and of the code at hand: names, values, facts, effects, the project."""
