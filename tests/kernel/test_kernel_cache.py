"""Whether the kernel has still to be compiled is known before it is: the progress display says so."""

import numpy as np
import pytest
from filelock import FileLock, Timeout
from numba import float32

from bayesmi.kernel import compiled_density, is_cached, native
from bayesmi.kernel.once import in_one_piece
from bayesmi.kernel.special import softplus


@pytest.mark.xdist_group("kernel_cache")
def test_code_of_other_sources_does_not_count_as_compiled(monkeypatch):
    compiled_density()
    assert is_cached()
    monkeypatch.setattr(native, "_stamp", lambda: "an edited kernel")
    assert not is_cached()  # the index is there, and holds nothing for these sources
    monkeypatch.undo()
    assert is_cached()


@pytest.mark.xdist_group("kernel_cache")
def test_code_that_was_deleted_does_not_count_as_compiled(monkeypatch, tmp_path):
    from numba.core.caching import IndexDataCacheFile

    compiled_density()
    monkeypatch.setattr(IndexDataCacheFile, "_data_path", lambda self, name: str(tmp_path / name))
    assert not is_cached()


@pytest.mark.xdist_group("kernel_cache")
def test_functions_compiled_in_one_piece_can_still_be_called_from_python():
    compiled_density()
    assert softplus(0.3) == pytest.approx(0.8543552444685272, rel=1e-15)
    with in_one_piece("nothing is called so"):
        softplus.compile((float32,))  # its entry is a stand-in
    assert softplus(np.float32(0.3)) == pytest.approx(0.8543552, rel=1e-6)
    assert softplus(0.3) == pytest.approx(0.8543552444685272, rel=1e-15)


@pytest.mark.xdist_group("kernel_cache")
def test_nobody_waits_for_ever_for_another_that_compiles(monkeypatch):
    compiled_density()
    with native._stamped_cache():
        folder = native.Path(native.FunctionCache(native._density_c).cache_path)
    monkeypatch.setattr(native, "is_cached", lambda: False)
    monkeypatch.setattr(native, "_PATIENCE", 0.2)
    with FileLock(folder / ".compiling.lock") as other, native._one_process():  # after its patience
        assert other.is_locked
    with native._one_process(), pytest.raises(Timeout):
        FileLock(folder / ".compiling.lock", timeout=0.1).acquire()
