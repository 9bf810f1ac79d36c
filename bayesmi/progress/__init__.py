"""What is going on, how far, and how long it will take: in a terminal, in a notebook, and silent where nobody looks."""

from bayesmi.progress.display import FIRST_COMPILATION, Progress
from bayesmi.progress.items import shown

__all__ = ["FIRST_COMPILATION", "Progress", "shown"]
