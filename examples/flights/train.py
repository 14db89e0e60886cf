"""train: trains every sample model and measures it on the months that it has not seen.

    python prepare.py && python train.py

Writes the model files, expected.csv and the figures of README.md. Seeds are fixed and one thread
is used, so a second run with the packages of requirements.txt writes the same bytes.
"""
import dataclasses
import pathlib

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn import metrics

import flights

HERE = pathlib.Path(__file__).resolve().parent
SEED = 2013
EXPECTED_ROWS = 40      # spread over the replay
EXPECTED_ODD_ROWS = 5   # more of each kind that takes a rare path in a tree
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FIGURES_START = "<!-- figures: written by train.py -->"
FIGURES_END = "<!-- end of the figures -->"

LIGHTGBM = {
    "boosting": "gbdt", "learning_rate": 0.1, "min_data_in_leaf": 100, "cat_smooth": 20,
    "max_cat_threshold": 32, "feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1,
    "seed": SEED, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}
XGBOOST = {
    "booster": "gbtree", "tree_method": "hist", "eta": 0.15, "max_depth": 5,
    "min_child_weight": 20, "subsample": 0.8, "colsample_bytree": 0.8, "max_cat_to_onehot": 4,
    "seed": SEED, "nthread": 1, "verbosity": 0,
}


@dataclasses.dataclass(frozen=True)
class Version:
    """One model file: what it predicts, what trains it and on which months of 2013."""
    model: str
    number: int
    suffix: str
    library: str
    last_month: int         # trained on January to this month
    trees: int
    params: dict
    zeroed: str = ""        # a feature set to 0 in training: the fault of a broken version

    @property
    def outcome(self):
        return {"flight-delay": "late", "arrival-delay": "arr_delay"}[self.model]

    @property
    def name(self):
        return f"{self.model}-v{self.number}"

    @property
    def path(self):
        return HERE / self.model / f"v{self.number}{self.suffix}"


LATE = {"objective": "binary"}
MINUTES = {"objective": "regression"}
VERSIONS = [
    Version("flight-delay", 1, ".txt", "lightgbm", 3, 60, LATE | {"num_leaves": 15}),
    Version("flight-delay", 2, ".ubj", "xgboost", 6, 60, {"objective": "binary:logistic"}),
    Version("flight-delay", 3, ".txt", "lightgbm", 9, 100,
            LATE | {"num_leaves": 31, "min_data_in_leaf": 300, "learning_rate": 0.07}),
    Version("flight-delay", 4, ".txt", "lightgbm", 1, 40, LATE | {"num_leaves": 15},
            zeroed="dep_delay_min"),
    Version("arrival-delay", 1, ".txt", "lightgbm", 3, 60, MINUTES | {"num_leaves": 15}),
    Version("arrival-delay", 2, ".json", "xgboost", 6, 40, {"objective": "reg:squarederror"}),
]


def matrix(rows):
    """The rows as XGBoost takes them; 'c' is a category, 'q' a quantity."""
    kinds = ["c" if name in flights.CATEGORIES else "q" for name in flights.FEATURES]
    return xgboost.DMatrix(rows, feature_names=flights.FEATURES, feature_types=kinds,
                           enable_categorical=True, nthread=1)


def train_lightgbm(version, rows, outcomes):
    data = lightgbm.Dataset(rows, label=outcomes, feature_name=flights.FEATURES,
                            categorical_feature=flights.CATEGORIES)
    return lightgbm.train(LIGHTGBM | version.params, data, num_boost_round=version.trees)


def train_xgboost(version, rows, outcomes):
    data = matrix(rows)
    data.set_label(outcomes)
    booster = xgboost.train(XGBOOST | version.params, data, num_boost_round=version.trees)
    booster.set_attr(trained_on=f"2013-01 to 2013-{version.last_month:02}",
                     trained_rows=str(len(rows)))
    return booster


def train(version, table):
    """Trains one version and saves it."""
    table = flights.months(table, 1, version.last_month)
    rows = flights.features(table)
    if version.zeroed:
        rows[:, flights.FEATURES.index(version.zeroed)] = 0
    trainer = {"lightgbm": train_lightgbm, "xgboost": train_xgboost}[version.library]
    booster = trainer(version, rows, table[version.outcome].to_numpy(dtype=np.float64))
    version.path.parent.mkdir(exist_ok=True)
    booster.save_model(version.path)


def predict(version, rows):
    """(predictions, raw scores) of the saved file, so that what is measured is what is served."""
    if version.library == "lightgbm":
        booster = lightgbm.Booster(model_file=str(version.path))
        return booster.predict(rows, num_threads=1), booster.predict(rows, raw_score=True)
    booster = xgboost.Booster(model_file=version.path)
    booster.set_param({"nthread": 1})
    data = matrix(rows)
    return booster.predict(data), booster.predict(data, output_margin=True)


def read_replay():
    """The replay as its readers see it: the numbers that the file holds, NaN where empty."""
    return pd.read_csv(HERE / "replay.csv", dtype={"unit": str})


def expected_rows(replay):
    """Line numbers (0 is the first row) that cover a year's spread, gaps and new destinations."""
    spread = np.linspace(0, len(replay) - 1, EXPECTED_ROWS).astype(int)
    seen = flights.months(flights.load(), 1, 3)["dest"]
    no_weather = np.flatnonzero(replay["wind_mph"].isna())[:EXPECTED_ODD_ROWS]
    new_dest = np.flatnonzero(~replay["dest"].isin(seen))[:EXPECTED_ODD_ROWS]
    return sorted({*spread, *no_weather, *new_dest})


def write_expected():
    """expected.csv: what the libraries themselves answer for some rows of the replay."""
    replay = read_replay()
    numbers = expected_rows(replay)
    table = replay.iloc[numbers][flights.FEATURES].reset_index(drop=True)
    table.insert(0, "row", numbers)
    rows = flights.features(table)
    for version in VERSIONS:
        prediction, raw = predict(version, rows)
        table[version.name] = prediction.astype(float)
        table[version.name + "-raw"] = raw.astype(float)
    flights.write_csv(HERE / "expected.csv", table)


def quality(version, outcomes, predictions):
    """The figures of one version on some rows, as cells of a table."""
    if version.outcome == "late":
        return [f"{metrics.roc_auc_score(outcomes, predictions):.3f}",
                f"{metrics.log_loss(outcomes, predictions):.3f}"]
    return [f"{metrics.mean_absolute_error(outcomes, predictions):.2f}",
            f"{metrics.root_mean_squared_error(outcomes, predictions):.2f}"]


def markdown(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def quality_table(versions, predictions, table, names):
    """Each version on the rest of the year, and all of them on the months none has seen."""
    rows = []
    for version in versions:
        period = "Jan" if version.last_month == 1 else f"Jan-{month_name(version.last_month)}"
        cells = [f"v{version.number}", period]
        for first in (version.last_month + 1, 10):
            part = table["month"].between(first, 12)
            cells += quality(version, table[version.outcome][part],
                             predictions[version.name][part])
        rows.append([*cells, str(version.trees), f"{version.path.stat().st_size // 1000} kB"])
    header = ["version", "trained on", *[f"{name}, later months" for name in names],
              *[f"{name}, Oct-Dec" for name in names], "trees", "file"]
    return markdown(header, rows)


def month_name(month):
    return pd.Timestamp(2013, month, 1).strftime("%b")


def mean_table(versions, predictions, table, digits):
    """The mean prediction of each version, and the truth, in each month."""
    columns = {f"v{version.number}": pd.Series(predictions[version.name]) for version in versions}
    columns["truth"] = table[versions[0].outcome]
    means = pd.DataFrame(columns).groupby(table["month"]).mean()
    rows = [[month_name(month), *[f"{mean:.{digits}f}" for mean in line]]
            for month, *line in means.itertuples()]
    return markdown(["month", *columns], rows)


def spread_table(versions, predictions, table, digits):
    """How far apart each version's predictions and the truth lie from October to December."""
    part = table["month"].between(10, 12)
    columns = {f"v{version.number}": predictions[version.name][part] for version in versions}
    columns["truth"] = table[versions[0].outcome][part]
    rows = [[name, *[f"{value:.{digits}f}" for value in np.quantile(values, QUANTILES)]]
            for name, values in columns.items()]
    return markdown(["version", *[f"{quantile:.0%}" for quantile in QUANTILES]], rows)


def figures(table):
    """The measured part of README.md."""
    rows = flights.features(table)
    predictions = {version.name: predict(version, rows)[0] for version in VERSIONS}
    parts = []
    for model, names, digits in [("flight-delay", ["AUC", "log loss"], 3),
                                 ("arrival-delay", ["MAE", "RMSE"], 1)]:
        versions = [version for version in VERSIONS if version.model == model]
        parts += [f"### {model}", quality_table(versions, predictions, table, names),
                  "Quantiles of the predictions, Oct-Dec:",
                  spread_table(versions, predictions, table, digits),
                  "Mean prediction by month:", mean_table(versions, predictions, table, digits)]
    return "\n\n".join(parts)


def write_figures(table):
    path = HERE / "README.md"
    before, rest = path.read_text(encoding="utf-8").split(FIGURES_START)
    after = rest.split(FIGURES_END)[1]
    path.write_text(f"{before}{FIGURES_START}\n\n{figures(table)}\n\n{FIGURES_END}{after}",
                    encoding="utf-8")


def main():
    table = flights.load()
    for version in VERSIONS:
        train(version, table)
        print(f"{version.name}: {version.path.stat().st_size} bytes")
    write_expected()
    write_figures(table)


if __name__ == "__main__":
    main()
