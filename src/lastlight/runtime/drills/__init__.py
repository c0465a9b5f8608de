"""Drills: an emergency that is played on purpose, so that its runbook is known to work. Each run leaves its evidence."""

from lastlight.runtime.drills.declaration import Drill, drill
from lastlight.runtime.drills.run import Drilling, DrillStep

__all__ = ["Drill", "DrillStep", "Drilling", "drill"]
