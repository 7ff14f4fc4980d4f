"""One file is one experiment; each reads from top to bottom in the same order."""
