"""What goes over the wire: per entity a base, create, update and response model."""
