"""Planning (R11): what a rollout has to expect of its traffic, simulated with the judge that will decide.

Pure: no cluster, no clock; randomness comes in as a generator.
"""

from serinus.planning.advice import Advice, Alternative, advise
from serinus.planning.arrivals import PLANNABLE, amount, times
from serinus.planning.errors import PlanningError
from serinus.planning.forecast import Forecast, StepForecast, forecast
from serinus.planning.release import Release
from serinus.planning.requests import Requests

__all__ = [
    "PLANNABLE",
    "Advice",
    "Alternative",
    "Forecast",
    "PlanningError",
    "Release",
    "Requests",
    "StepForecast",
    "advise",
    "amount",
    "forecast",
    "times",
]
