"""Toytown: a procedural town of landmarks, the world that the book is computed in."""
