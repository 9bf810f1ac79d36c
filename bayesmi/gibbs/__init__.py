"""Discrete cells that are held at a value: their state, the tables and programs that follow it, and how it is drawn."""
