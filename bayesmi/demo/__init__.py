"""The popularity case study: what `bayesmi demo` runs, shows and leaves behind."""
