"""What is timed and what is calibrated, against what, and the last tables (results/)."""
