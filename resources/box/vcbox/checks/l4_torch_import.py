"""The administrator imports PyTorch and the science stack."""

from vcbox.checks import frameworks_look
from vcbox.checks.base import Look, Profile, Raw, Result

ID, TITLE, LAYER = "l4_torch_import", "PyTorch, NumPy, Pandas, scikit-learn and Matplotlib import", 4


def gather(look: Look) -> Raw:
    return frameworks_look.probe(look, "torch")


def judge(raw: Raw, profile: Profile) -> Result:
    return frameworks_look.judge_import(raw, "PyTorch", ("torch", "numpy", "pandas", "sklearn", "matplotlib"))
