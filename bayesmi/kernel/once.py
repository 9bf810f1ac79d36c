"""Optimise and translate the kernel once, as a whole.

numba optimises each function together with everything it calls, and turns each of these libraries into machine code of
its own, although only the outermost is ever called: a function at the bottom of five others is worked on six times. While
`in_one_piece` is open, functions are handed up as they are and all the work is done where they meet, and none gets the
wrappers by which Python would call it. What comes out is as fast; compiling takes half of the time.
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
    from numba.core.lowering import Lower

    thread = threading.get_ident()
    library: Any = CPUCodeLibrary
    context: Any = CPUContext
    optimise, finish = library._optimize_final_module, library._finalize_final_module
    entry = context.get_executable
    lower: Any = Lower
    for_python, for_c = lower.create_cpython_wrapper, lower.create_cfunc_wrapper

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

    def wrapper_for_python(self: Any, *given: Any, **options: Any) -> None:
        if not is_inner(self.library):
            for_python(self, *given, **options)

    def wrapper_for_c(self: Any) -> None:
        if not is_inner(self.library):
            for_c(self)

    before = {function: set(function.overloads) for function in FUNCTIONS}
    library._optimize_final_module = optimise_outermost
    library._finalize_final_module = finish_outermost
    context.get_executable = entry_of_outermost
    lower.create_cpython_wrapper, lower.create_cfunc_wrapper = wrapper_for_python, wrapper_for_c
    try:
        yield
    finally:
        library._optimize_final_module, library._finalize_final_module = optimise, finish
        context.get_executable = entry
        lower.create_cpython_wrapper, lower.create_cfunc_wrapper = for_python, for_c
        for function, signatures in before.items():
            if set(function.overloads) != signatures:  # what has no entry is compiled anew if Python calls it
                function._make_finalizer()()
                function._reset_overloads()
