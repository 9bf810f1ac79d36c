"""What the multilevel study is made of: designs with their data, models, programs of R."""
