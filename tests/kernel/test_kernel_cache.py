"""Whether the kernel has still to be compiled is known before it is: the progress display says so."""

import pytest

from bayesmi.kernel import compiled_density, is_cached, native


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
