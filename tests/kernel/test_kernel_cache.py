"""Whether the kernel has still to be compiled is known before it is: the progress display says so."""

import threading
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock, Timeout
from numba import config, float32, float64
from numba.core import caching
from numba.core.codegen import CPUCodeLibrary

from bayesmi.kernel import compiled_density, is_cached, native, on_disk
from bayesmi.kernel.once import in_one_piece
from bayesmi.kernel.special import softplus


@pytest.mark.xdist_group("kernel_cache")
def test_code_of_other_sources_does_not_count_as_compiled(monkeypatch):
    compiled_density()
    assert is_cached()
    monkeypatch.setattr(on_disk, "_stamp", lambda folder: "an edited kernel")
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
    folder = Path(on_disk.OnDisk(native._density_c).cache_path)
    monkeypatch.setattr(on_disk.OnDisk, "holds", lambda self, signature: False)
    monkeypatch.setattr(native, "_PATIENCE", 0.2)
    with FileLock(folder / ".compiling.lock") as other, native._one_process():  # after its patience
        assert other.is_locked
    with native._one_process(), pytest.raises(Timeout):
        FileLock(folder / ".compiling.lock", timeout=0.1).acquire()


def twice(x):
    """Something that compiles in no time."""
    return 2.0 * x


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Where numba keeps what it compiles."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def kept(folder, ending):
    return [path for path in folder.rglob(f"*{ending}") if "twice" in path.name]


def test_what_was_compiled_is_loaded(folder):
    signature = float64(float64)
    assert not on_disk.OnDisk(twice).holds(signature)
    assert on_disk.compiled(signature, twice).cache_hits == 0
    assert on_disk.OnDisk(twice).holds(signature)
    again = on_disk.compiled(signature, twice)
    assert again.cache_hits == 1
    assert again.ctypes(1.5) == 3.0


@pytest.mark.parametrize("ending", [".nbi", ".nbc"])
def test_damaged_files_cost_a_compilation(folder, ending):
    """A machine that loses power may leave empty files."""
    signature = float64(float64)
    on_disk.compiled(signature, twice)
    for path in kept(folder, ending):
        path.write_bytes(b"")
    assert on_disk.compiled(signature, twice).ctypes(1.5) == 3.0
    assert on_disk.compiled(signature, twice).cache_hits == 1


def test_a_machine_that_keeps_nothing_compiles_each_time(monkeypatch):
    monkeypatch.setattr(
        caching.CacheImpl, "_locator_classes", []
    )  # as numba finds them where nothing can be written
    assert on_disk.on_disk(twice) is None
    assert on_disk.compiled(float64(float64), twice).ctypes(1.5) == 3.0
    assert not is_cached()
    with native._one_process():
        pass


def test_a_full_disk_is_no_obstacle(monkeypatch, folder):
    def full(self, key, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "save", full)
    assert on_disk.compiled(float64(float64), twice).ctypes(1.5) == 3.0


@pytest.mark.xdist_group("kernel_cache")
def test_threads_that_begin_together_leave_numba_as_it_was():
    """Fits in threads: each looks at the disk, and the first ones load the density at the same time."""
    compiled_density()
    before = caching.CacheImpl._locator_classes, CPUCodeLibrary._finalize_final_module
    native._compiled_density.cache_clear()
    ready, found = threading.Barrier(4), []

    def first_fit():
        ready.wait()
        for _ in range(5):
            is_cached()
        found.append(compiled_density())

    threads = [threading.Thread(target=first_fit) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(one is found[0] for one in found)
    assert (caching.CompileResultCacheImpl._locator_classes, CPUCodeLibrary._finalize_final_module) == before
    assert "_locator_classes" not in vars(caching.CompileResultCacheImpl)
