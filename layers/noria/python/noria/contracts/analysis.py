"""The thresholds that the analysis decides by, each with its source."""

from typing import Literal

from pydantic import Field

from noria.contracts.field_types import Section, Share


class Analysis(Section):
    """The thresholds that the analysis and the question whether ML is needed decide by."""

    sample_rows: int = Field(default=20_000, ge=100)
    """Rows that relations and quick models are computed on, at most. Convention: there a share is
    known to 0.7 points (1.96 standard errors at a half), and the analysis takes seconds."""
    significance: float = Field(default=0.05, gt=0, lt=1)
    """Family-wise error rate of all columns: Fisher (1925, "Statistical Methods for Research
    Workers"), corrected for their number after Holm (1979)."""
    leakage: Share = 0.98
    """Strength (2 AUC - 1, |Spearman's rho|, Cramér's V) at which one column alone nearly decides
    the target, as leaks do (Kaufman et al. 2012, "Leakage in data mining"). Convention: 0.98 is an
    AUC of 0.99, which leaves next to nothing for all other columns."""
    on_leak: Literal["ask", "exclude", "allow"] = "ask"
    """What happens to a column that gives the target away: ask stops the run at ReevaluateProblem
    and names it, exclude leaves it out and goes on, allow goes on with it. `features.known` says of
    a column that it does not."""
    late: Share = 0.5
    """A column is known only afterwards where its times lie after the event time in this share of
    the rows, or where rows with a target have it more often by this share than rows without
    (Kaufman et al. 2012). Convention: half, as plans and wrong clocks come after it at times."""
    late_rows: int = Field(default=20, ge=1)
    """Rows with and without a target below which nothing is told from where a column is filled.
    Convention: with 20 a share is known to 0.22, half of what `late` asks."""
    fewest_rows: int = Field(default=30, ge=5)
    """Rows below which nothing is said of a pair of columns or of a third of the time. Convention:
    30, from where means are treated as normal (Hogg and Tanis, "Probability and Statistical
    Inference")."""
    redundancy: Share = 0.95
    """Association of two columns above which one adds little. Convention: with a correlation of
    0.95 a regression's variance is inflated tenfold, the limit of Kutner et al. (2005, "Applied
    Linear Statistical Models")."""
    pair_rows: int = Field(default=5_000, ge=100)
    """Rows that pairs of columns are compared on, at most. There a correlation of 0.95 is known to
    0.003 (Fisher 1921)."""
    shared_rows: Share = 0.5
    """A pair of columns is judged where this share of the rows that have either has both.
    Convention: most of them, so that what is said holds of the columns and not of a corner."""
    contradictions: int = Field(default=10, ge=1)
    """Rows that could have contradicted it, from which one category may be said to follow from
    another. Convention: that none of 10 does by chance has a probability of e^-10 (Poisson)."""
    words: int = Field(default=100, ge=1, le=10_000)
    """Frequent words of a free text that are tried against the target. Convention: the hundred
    commonest words make up about half of English text (Zipf 1949, "Human Behavior and the Principle
    of Least Effort"); each further one costs every other in the correction for their number."""
    seasonality: Share = 0.01
    """Share of the target's rank variance from which a season is named: a small effect after Cohen
    (1988, "Statistical Power Analysis for the Behavioral Sciences")."""
    season_cycles: int = Field(default=2, ge=1)
    """Full cycles that the rows cover before a season is looked for. Convention: with one it cannot
    be told from a trend."""
    cell_rows: int = Field(default=20, ge=1)
    """Rows from which an hour of a weekday is shown in the heat map. Convention: with 20 the
    standard error of a share of a half is 0.11."""
    gap: float = Field(default=20, gt=1)
    """A gap is a time between rows so many times the usual one. Convention: of rows that come
    at random one in a million waits 20 times the median time (2^-20, exponential waiting)."""
    rhythm: Share = 0.8
    """Pauses that start in this share of the days (or weeks) with rows are the data's rhythm and
    no gaps. Convention: four of five, as holidays fall out."""
    rhythm_cycles: int = Field(default=5, ge=2)
    """Days or weeks with rows from which a rhythm can be told. Convention: chance puts a pause that
    is as likely as not in all of 5 in 3 % (2^-5)."""
    maximum_classes: int = Field(default=100, ge=2)
    """Classes that can be learnt, at most. Convention: boosting fits a tree per class and turn, so
    time grows with them (Friedman 2001, "Greedy function approximation")."""
    continuous_values: int = Field(default=20, ge=2)
    """Distinct fractional numbers above which a target of classes is taken for a quantity.
    Convention: ratings in half points, from 0.5 to 10, have 20."""
    entity_categories: int = Field(default=200, ge=2)
    """Distinct values up to which an entity key is a feature; one with more would be learnt by
    heart. Convention: below the 255 categories that histogram gradient boosting takes
    (scikit-learn's documentation)."""
    entity_rows: int = Field(default=10, ge=1)
    """Rows per entity on average from which its key is a feature. Convention: ten per parameter
    (Peduzzi et al. 1996, "events per variable")."""
    recent: float = Field(default=0.1, gt=0, le=1)
    """Share of the training rows, the latest, whose answer is a trivial one to beat. Convention:
    what held lately often holds next, as naive forecasts do (Hyndman and Athanasopoulos,
    "Forecasting: Principles and Practice"), and a tenth of the rows tells it well enough."""
    resamples: int = Field(default=1000, ge=100, le=10_000)
    """Bootstrap resamples: 1,000 or more for the ends of an interval (Efron and Tibshirani 1993,
    "An Introduction to the Bootstrap", chapter 19)."""
    permutations: int = Field(default=500, ge=100, le=10_000)
    """Random draws of the test against chance. With 500 a p value of 0.01 is known to 0.004, its
    standard error (Efron and Tibshirani 1993, chapter 15)."""
    stretches: int = Field(default=16, ge=8, le=1000)
    """Time blocks, at most, whose signs are drawn at random where rows have an event time: 16 as in
    the simulations of Ibragimov and Müller (2010, "t-statistic based correlation and heterogeneity
    robust inference"). Fewer allow for longer memory, more tell weaker signal."""
    chance: float = Field(default=0.01, gt=0, lt=0.5)
    """P value below which a quick model's answers are told from chance. Convention: Fisher's
    stricter 1 %, as a run that goes on for nothing costs more than one that waits."""
