"""Where what is in an image comes from: its lock, what a lock has to hold, and how the two fit. Pure."""
