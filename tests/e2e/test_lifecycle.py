"""The machine end to end, on real data, from the synthesized template; read top to bottom."""

import io
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.e2e.stack import Stack
from tests.support import data_sets

pytestmark = pytest.mark.slow
WEAK_COLUMNS = ["ash", "magnesium"]
CHOLESTEROL = {"target": {"name": "s4"}, "features": {"exclude": ["lottery", "progression"]},
               "exploration": {"candidates": ["ridge"]}}  # fmt: skip
# One answer for all wines reaches 0.48: what is asked for is a gain over that.
MODEST = {"threshold": 0.4, "minimum_gain": 0.01}


class TestMulticlass:
    """Wine: from nothing to a champion, through a canary to a better one, and no further."""

    def test_first_model_serves(self, wine: Stack) -> None:
        others = [
            name for name in data_sets.wine()["wine"].columns[:-1] if name not in WEAK_COLUMNS
        ]
        ended = wine.run(problem={"features": {"exclude": others}, "objective": MODEST})
        assert ended.ending == "Promote", ended.reasons
        assert "ShiftCanary" not in ended.states  # there is nothing to protect yet
        assert {column["name"] for column in self.signature(wine)["columns"]} == set(WEAK_COLUMNS)

    def test_better_model_goes_through_a_canary(self, wine: Stack) -> None:
        before = wine.champion()
        ended = wine.run()
        assert ended.ending == "Promote", ended.reasons
        assert {"ShiftCanary", "ObserveCanary", "CheckCanary"} <= set(ended.states)
        assert "judged by the replay alone" in ended.decision("CheckCanary")["reasons"][0]
        assert ended.decision("BeatsChampion")["evidence"]["gain"] > 0
        assert wine.champion() != before

    def test_everything_is_recorded(self, wine: Stack) -> None:
        champion = json.loads(wine.champion())
        run = champion["run_id"]
        files = {key.rpartition("/")[2] for key in wine.keys(f"models/{champion['version']}/")}
        assert {"model.onnx", "signature.json", "model_card.html", "manifest.json"} <= files
        experiments = [wine.json(key) for key in wine.keys(f"experiments/run={run}/")]
        assert len({one["candidate"] for one in experiments}) >= 4
        assert all(len(one["scores"]) == 2 and one["code_version"] for one in experiments)
        report = wine.read(f"runs/{run}/report.html").decode()
        assert "cultivar" in report
        assert "<script" not in report
        [provenance] = wine.json(f"runs/{run}/collected.json")["sources"]
        assert provenance["rows"] == 178
        assert len(provenance["files"][0]["sha256"]) == 64

    def test_features_are_in_the_catalogue(self, wine: Stack) -> None:
        run = json.loads(wine.champion())["run_id"]
        glue = wine.cloud.client("glue")
        database = wine.outputs["DatabaseName"]
        table = glue.get_table(DatabaseName=database, Name="features")["Table"]
        assert "flavanoids" in {c["Name"] for c in table["StorageDescriptor"]["Columns"]}
        partitions = glue.get_partitions(DatabaseName=database, TableName="features")["Partitions"]
        assert run in {partition["Values"][0] for partition in partitions}
        [key] = wine.keys(f"features/run={run}/")
        assert len(pd.read_parquet(io.BytesIO(wine.read(key)))) == 178

    def test_endpoint_answers_and_logs(self, wine: Stack) -> None:
        champion = json.loads(wine.champion())["version"]
        sample = wine.json(f"models/{champion}/sample.json")
        answer = wine.ask("POST", "/predict", {"rows": sample})
        assert answer.status == 200, answer.body
        assert answer.json()["model"] == champion
        predictions = answer.json()["predictions"]
        assert all(p["prediction"].startswith("class_") for p in predictions)
        assert all(abs(sum(p["probabilities"].values()) - 1) < 1e-4 for p in predictions)
        logged = b"".join(wine.read(key) for key in wine.keys("predictions/")).decode()
        assert all(p["id"] in logged for p in predictions)
        assert wine.ask("GET", "/model", signed=False).status == 403

    def test_equal_challenger_is_refused(self, wine: Stack) -> None:
        before = wine.champion()
        ended = wine.run()
        assert ended.ending == "KeepChampion"
        assert "champion has accuracy" in ended.reasons
        assert wine.champion() == before

    def test_same_execution_name_runs_once(self, wine: Stack) -> None:
        machines = wine.cloud.client("stepfunctions")
        arns = {
            machines.start_execution(
                stateMachineArn=wine.machine, name="delivered-twice", input="{}"
            )["executionArn"]
            for _ in range(2)
        }
        assert len(arns) == 1
        assert wine.follow(arns.pop()).ending == "KeepChampion"

    @staticmethod
    def signature(stack: Stack) -> dict[str, list[dict[str, str]]]:
        version = json.loads(stack.champion())["version"]
        found: dict[str, list[dict[str, str]]] = stack.json(f"models/{version}/signature.json")
        return found


class TestBinary:
    """Cancer: a person approves, a rule may be enough."""

    def test_person_refuses(self, cancer: Stack) -> None:
        waiting = cancer.run(problem={"exploration": {"candidates": ["logistic_regression"]}})
        assert waiting.ending == "AwaitApproval"
        cancer.answer(waiting, decision="refuse")
        ended = cancer.follow(waiting.arn)
        assert ended.ending == "KeepChampion"
        assert "a person refused the challenger" in ended.reasons
        assert not cancer.keys("registry/champion.json")
        assert cancer.ask("GET", "/health").status == 503

    def test_person_approves(self, cancer: Stack) -> None:
        linear = {"exploration": {"candidates": ["logistic_regression"]}}
        overtaken = cancer.run(problem=linear)
        waiting = cancer.run()
        assert waiting.ending == "AwaitApproval"
        assert cancer.json("registry/lease.json")["holder"] is None
        assert not cancer.keys("registry/champion.json")
        cancer.answer(waiting, decision="approve")
        ended = cancer.follow(waiting.arn)
        assert ended.ending == "Promote", ended.reasons
        assert json.loads(cancer.champion())["metrics"]["roc_auc"] > 0.95
        # The other challenger was never compared with this champion: approval comes too late.
        champion = cancer.champion()
        cancer.answer(overtaken, decision="approve")
        late = cancer.follow(overtaken.arn)
        assert late.ending == "Failed"
        assert "PublishChallenger failed with RegistryError" in late.reasons
        assert "start a new execution to compare them" in late.reasons
        assert cancer.champion() == champion

    def test_answers_have_the_type_of_the_labels(self, cancer: Stack) -> None:
        version = json.loads(cancer.champion())["version"]
        sample = cancer.json(f"models/{version}/sample.json")
        [prediction] = cancer.ask("POST", "/predict", sample[0]).json()["predictions"]
        assert prediction["prediction"] in (True, False)
        assert 0 <= prediction["probability"] <= 1
        assert prediction["prediction"] is (prediction["probability"] > 0.5)

    def test_rule_suffices(self, cancer: Stack) -> None:
        before = cancer.champion()
        ended = cancer.run(
            problem={
                "baseline": {"rule": "worst_radius > 16.8"},
                "objective": {"metric": "accuracy", "threshold": 0.85},
            }
        )
        assert ended.ending == "RuleSuffices"
        assert "TrainModel" not in ended.states
        assert cancer.champion() == before

    def test_unusable_data_halts(self, cancer: Stack) -> None:
        before = cancer.champion()
        ended = cancer.run(problem={"quality": {"minimum_rows": 10_000}})
        assert ended.ending == "HaltBadData"
        assert "10" in ended.reasons
        assert "minimum_rows" in ended.reasons
        assert cancer.champion() == before

    def test_unknown_input_is_named(self, cancer: Stack) -> None:
        ended = cancer.run(problem={"objective": {"treshold": 0.5}})
        assert (ended.ending, ended.status) == ("Failed", "FAILED")
        assert "objective.treshold" in ended.reasons
        assert "did you mean 'threshold'" in ended.reasons


class TestRegression:
    """Diabetes: the loop back, the questions to a person, a crash, an alarm that restarts."""

    def test_loop_back_then_success(self, diabetes: Stack) -> None:
        # s4 is total cholesterol over HDL: a ratio, which numbers as they are do not tell.
        ended = diabetes.run(problem=CHOLESTEROL | {"objective": {"threshold": 0.92}})
        turns = [v for v in ended.record["verdicts"] if v["state"] == "EvaluateModel"]
        assert ended.ending == "Promote", ended.reasons
        assert turns[0]["decision"] == "missed"
        assert turns[-1]["decision"] == "met"
        assert ended.states.count("EngineerFeatures") == len(turns) > 1

    def test_loop_exhausted(self, diabetes: Stack) -> None:
        before = diabetes.champion()
        ended = diabetes.run(problem={"objective": {"threshold": 0.99}})
        assert ended.ending == "HaltNotEffective"
        assert "misses the threshold 0.99" in ended.reasons
        assert diabetes.champion() == before

    def test_no_signal_waits_and_a_revision_goes_on(self, diabetes: Stack) -> None:
        noise = {"target": {"name": "lottery"}, "features": {"exclude": ["progression"]}}
        waiting = diabetes.run(problem=noise)
        assert waiting.ending == "ReevaluateProblem"
        assert diabetes.json("registry/lease.json")["holder"] is None
        revised = {"target": {"name": "progression"}, "features": {"exclude": ["lottery"]}}
        diabetes.answer(waiting, decision="revise", problem=revised)
        ended = diabetes.follow(waiting.arn)
        # The champion answers another question: how the comparison ends is not the point here.
        assert ended.ending in ("Promote", "KeepChampion"), ended.reasons
        assert diabetes.json(f"runs/{ended.name}/problem.json")["target"]["name"] == "progression"

    def test_no_signal_halts_when_told(self, diabetes: Stack) -> None:
        noise = {"target": {"name": "lottery"}, "features": {"exclude": ["progression"]}}
        waiting = diabetes.run(problem=noise)
        diabetes.answer(waiting, decision="halt")
        ended = diabetes.follow(waiting.arn)
        assert ended.ending == "HaltProblem"
        assert "a person chose to halt" in ended.reasons
        assert "No better than chance" in ended.reasons

    def test_an_unknown_candidate_leaves_the_champion(self, diabetes: Stack) -> None:
        before = diabetes.champion()
        ended = diabetes.run(problem={"exploration": {"candidates": ["rigde"]}})
        assert (ended.ending, ended.status) == ("Failed", "FAILED")
        assert "Admit failed with ContractError" in ended.reasons
        assert "did you mean 'ridge'" in ended.reasons
        assert diabetes.champion() == before
        assert diabetes.json("registry/lease.json")["holder"] is None
        assert diabetes.ask("GET", "/health").status == 200

    def test_drift_alarm_restarts_the_machine(self, diabetes: Stack) -> None:
        assert diabetes.run().ending in ("Promote", "KeepChampion")
        morning = datetime.now(UTC) + timedelta(days=1)
        self.ask_about_others(diabetes)
        tick = diabetes.cloud.tick(morning)
        fired = [change.name for change in tick.alarms if change.new == "ALARM"]
        assert any("drift" in name.lower() for name in fired), tick
        [arn] = [arn for arn in tick.started if "e2e-diabetes" in arn]
        ended = diabetes.follow(arn)
        assert ended.record["cause"]["kind"] == "alarm"
        assert ended.record["cause"]["alarm"] in fired
        assert ended.ending in ("Promote", "KeepChampion")

    def test_second_alarm_within_the_cooldown_is_skipped(self, diabetes: Stack) -> None:
        later = datetime.now(UTC) + timedelta(days=1, hours=2)
        diabetes.cloud.tick(later)  # no traffic: the alarm settles
        self.ask_about_others(diabetes)
        tick = diabetes.cloud.tick(later + timedelta(hours=2))
        [arn] = [arn for arn in tick.started if "e2e-diabetes" in arn]
        ended = diabetes.follow(arn)
        assert ended.ending == "Skipped"
        assert "retraining.cooldown" in ended.reasons

    @staticmethod
    def ask_about_others(stack: Stack) -> None:
        """Live traffic from much older and heavier patients than training saw."""
        names = {field["name"] for field in stack.ask("GET", "/model").json()["inputs"]}
        frame = data_sets.diabetes()["patients"].sample(400, random_state=3)
        shifted = frame.assign(
            age=frame["age"] + 40, bmi=frame["bmi"] + 20, bp=frame["bp"] + 60, s5=frame["s5"] + 2,
            s1=frame["s1"] * 2, s3=frame["s3"] * 3,
        )  # fmt: skip
        rows = shifted[[name for name in shifted.columns if name in names]]
        rows = rows.replace({np.nan: None}).to_dict("records")
        assert stack.ask("POST", "/predict", {"rows": rows}).status == 200
