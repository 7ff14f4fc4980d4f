"""Readers, checks and generators of the data that the experiments run on."""
