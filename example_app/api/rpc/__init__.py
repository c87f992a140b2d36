"""The RPC surface: POST only, sessions; downloads are GET."""
