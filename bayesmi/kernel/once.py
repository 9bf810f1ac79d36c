"""Optimise and translate the kernel once, as a whole.

numba optimises each function together with everything it calls, and turns each of these libraries into machine code of
its own, although only the outermost is ever called: a function at the bottom of five others is worked on six times. While
`in_one_piece` is open, functions are handed up as they are and all the work is done where they meet. What comes out is as
fast; compiling takes 60 % of the time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bayesmi.kernel.jit import FUNCTIONS

__all__ = ["in_one_piece"]


@contextmanager
def in_one_piece(outermost: str) -> Iterator[None]:
    """Let libraries whose name holds `outermost` be all that this thread optimises and translates."""
    from numba.core.codegen import CPUCodeLibrary
    from numba.core.cpu import CPUContext

    thread = threading.get_ident()
    library: Any = CPUCodeLibrary
    context: Any = CPUContext
    optimise, finish = library._optimize_final_module, library._finalize_final_module
    entry = context.get_executable

    def is_inner(it: Any) -> bool:
        return threading.get_ident() == thread and outermost not in it.name

    def optimise_outermost(self: Any) -> None:
        if not is_inner(self):
            optimise(self)

    def finish_outermost(self: Any) -> None:
        if not is_inner(self):
            finish(self)
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def entry_of_outermost(self: Any, its_library: Any, fndesc: Any, env: Any) -> Any:
        if not is_inner(its_library):
            return entry(self, its_library, fndesc, env)
        return [].append  # numba wants some builtin here, and knows the function by it: each its own

    before = {function: set(function.overloads) for function in FUNCTIONS}
    library._optimize_final_module = optimise_outermost
    library._finalize_final_module = finish_outermost
    context.get_executable = entry_of_outermost
    try:
        yield
    finally:
        library._optimize_final_module, library._finalize_final_module = optimise, finish
        context.get_executable = entry
        for function, signatures in before.items():
            if set(function.overloads) != signatures:  # what has no entry is compiled anew if Python calls it
                function._make_finalizer()()
                function._reset_overloads()
