"""HTTP: routers, dependencies, errors, documentation."""
