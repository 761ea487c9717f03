"""Contract tests: what every implementation of a seam must pass, inherited by its own tests."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.vector_store")
