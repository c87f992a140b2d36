"""The symbolic execution of the code that assembles apps."""
