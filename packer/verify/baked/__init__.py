"""What a baked machine must hold, and the bundle it is baked from."""
