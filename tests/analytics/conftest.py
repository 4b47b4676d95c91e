import pytest

from tests.journeys.stage import Stage, make_stage


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()
