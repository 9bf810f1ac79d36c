"""Steps of the engine's benchmark: one fresh process, gradients beside a hand-written kernel, peers, tables."""
