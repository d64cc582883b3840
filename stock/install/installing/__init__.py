"""How a machine from a public image becomes what a baked image would have been."""
