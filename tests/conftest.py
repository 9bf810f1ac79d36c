"""What all tests share: a garbage collector that does not walk through every graph again and again."""

import gc

# thousands of PyTensor nodes are alive at a time; looking at all of them took an eighth of the whole suite's time
gc.set_threshold(100_000, 20, 50)
