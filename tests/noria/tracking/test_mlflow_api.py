"""One request to a tracking server: every way in which it is not answered has its sentence."""

import time
from collections.abc import Callable
from contextlib import closing

import pytest

from noria.errors import TrackingError, TrackingUnavailableError
from noria.tracking import mlflow_api
from noria.tracking.mlflow_api import MlflowApi, MlflowRefusal, authorization
from tests.support.scripted_server import Answer, Asked, serving

PAGE = Answer(200, b"<html>Sign in</html>")


def asked_of(script: Callable[[Asked], Answer], seconds: float = 60) -> str:
    """What a call says that such a server does not answer."""
    with serving(script) as server:
        api = MlflowApi(server.url, {"token": "of ours"}, time.monotonic() + seconds)
        with closing(api), pytest.raises(TrackingError) as caught:
            api.get("experiments/get-by-name", experiment_name="parcels")
        assert str(caught.value).startswith(f"'{server.url}' ")
    return type(caught.value).__name__ + str(caught.value).removeprefix(f"'{server.url}'")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (PAGE, "TrackingError answers, but not as MLflow does; check mlflow.tracking_uri"),
        (Answer(200, b"[1]"), "TrackingError answers, but not as MLflow does"),
        (Answer(404, b"<html>"), "TrackingError answered 404 Not Found; check mlflow.tracking_uri"),
        (Answer(413), "TrackingError answered 413 Request Entity Too Large; raise the size"),
        (Answer(403, b'{"error_code": "PERMISSION_DENIED"}'),
         "TrackingError answered 403 PERMISSION_DENIED; give the user of the secret"),
        (Answer(400, b'{"error_code": "INVALID_PARAMETER_VALUE", "message": "too long"}'),
         "MlflowRefusal answered 400 INVALID_PARAMETER_VALUE: too long"),
        (Answer(429), "TrackingUnavailableError answered 429 Too Many Requests; it is tried again"),
        (Answer(500, b'{"error_code": "INTERNAL_ERROR", "message": "disk is full"}'),
         "TrackingUnavailableError answered 500 INTERNAL_ERROR: disk is full; it is tried again"),
        (Answer(200, b'{"experiment": {}}', cut=5), "TrackingUnavailableError cannot be reached"),
    ],
)  # fmt: skip
def test_an_answer_that_is_none_is_told(answer: Answer, told: str) -> None:
    assert asked_of(lambda _: answer).startswith(told)


def test_credentials_are_not_taken_to_another_address() -> None:
    with serving(lambda _: PAGE) as other:
        moved = Answer(302, headers={"Location": f"{other.url}/login"})
        told = asked_of(lambda _: moved)
        assert other.asked == []
    assert told.startswith(f"TrackingError redirects to '{other.url}/login'; give mlflow")


def test_a_server_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mlflow_api, "REQUEST_SECONDS", 0.2)

    def hanging(_: Asked) -> Answer:
        time.sleep(1)
        return PAGE

    started = time.monotonic()
    assert asked_of(hanging).startswith("TrackingUnavailableError cannot be reached")
    assert time.monotonic() - started < 3


def test_all_of_it_has_one_deadline() -> None:
    told = asked_of(lambda _: PAGE, seconds=0)
    assert told.startswith("TrackingUnavailableError is too slow: not everything was sent in time")


def test_a_connection_that_was_closed_is_made_anew() -> None:
    answer = Answer(200, b'{"runs": []}', {"Connection": "close"})
    with serving(lambda _: answer) as server:
        api = MlflowApi(f"{server.url}/prefix", {}, time.monotonic() + 60)
        with closing(api):
            assert [api.post("runs/search", max_results=1) for _ in range(2)] == [{"runs": []}] * 2
    assert [one.path for one in server.asked] == ["/prefix/api/2.0/mlflow/runs/search"] * 2
    assert server.asked[0].body == b'{"max_results": 1}'
    assert "Authorization" not in server.asked[0].headers


def test_a_secret_is_a_token_or_a_user_with_a_password() -> None:
    assert authorization({"token": "abc"}) == {"Authorization": "Bearer abc"}
    both = {"username": "anna", "password": "open:sesame"}
    assert authorization(both) == {"Authorization": "Basic YW5uYTpvcGVuOnNlc2FtZQ=="}
    assert authorization({}) == {}
    with pytest.raises(TrackingError, match="neither token nor username and password"):
        authorization({"username": "anna"})


def test_refusals_have_a_code_and_are_no_outage() -> None:
    assert issubclass(MlflowRefusal, TrackingError)
    assert not issubclass(MlflowRefusal, TrackingUnavailableError)
