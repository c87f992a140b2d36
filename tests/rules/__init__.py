"""The fixture matrix: every rule against its fixtures, in every style of writing them."""
