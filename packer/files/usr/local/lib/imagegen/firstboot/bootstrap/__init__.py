"""The first boot of a node: phases in a table, a loop that attends to them, a file for each kind of work."""
