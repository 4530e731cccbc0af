"""Has pytest explain the assertions about journal and world, which stand beside the tests."""

import pytest

pytest.register_assert_rewrite("crash.truth")
