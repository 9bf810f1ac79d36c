"""Simulation-based calibration of parameters and of missing cells, for every family and every treatment."""
