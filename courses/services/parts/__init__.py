"""What each problem type adds to a problem, by the type's name, which is also the part's name in bodies and on rows."""

from courses.models import Problem
from courses.services.parts.algorithm import ALGORITHM, AlgorithmChanges
from courses.services.parts.choice import CHOICE, ChoiceChanges
from courses.services.parts.fillblank import FILLBLANK, FillBlankChanges
from courses.services.parts.part import PartType

PARTS: dict[str, PartType] = {
    Problem.Type.ALGORITHM.value: ALGORITHM,
    Problem.Type.CHOICE.value: CHOICE,
    Problem.Type.FILLBLANK.value: FILLBLANK,
}

__all__ = ["PARTS", "AlgorithmChanges", "ChoiceChanges", "FillBlankChanges", "PartType"]
