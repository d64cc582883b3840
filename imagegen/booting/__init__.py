"""What a cluster needs to come up as machines of this computer, and what is seen of it while it does."""
