"""What the data card states of the complete labels and their passes, counted anew from the files."""
from pathlib import Path

import numpy as np
import pandas as pd
from claims_kit import ROOT
from scipy.stats import binomtest

LABELS = ROOT / "recaptcha/labels"
PASSES = ROOT / "results/annotation_passes.csv"
DRAWS = 2000  # of the bootstrap


def table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False)


def copy_groups() -> pd.Series:
    """By file: what the copies of a tile have in common, its own name where it has none."""
    manifest = table(LABELS / "manifest.csv").set_index("file")
    return manifest.duplicate_group.where(manifest.duplicate_group != "", manifest.index.to_series())


def complete_answers() -> pd.DataFrame:
    """By file, a column a class: 1 seen, 0 not seen, NaN in doubt."""
    from recaptcha.labels import pass_answers
    return pass_answers(table(LABELS / "complete.csv"))


def answers_of(name: str) -> pd.DataFrame:
    """What one pass says, as `complete_answers`."""
    from recaptcha.labels import pass_answers
    passes = table(PASSES)
    return pass_answers(passes[passes["pass"] == name])


def kappa(both, first, second, n):
    """Cohen's kappa of two annotations, from how many tiles each says "yes" to, of `n`."""
    equal = (n - first - second + 2 * both) / n
    chance = (first * second + (n - first) * (n - second)) / n**2
    return (equal - chance) / (1 - chance)


def f1(both, first, second, n):
    """F1 of either annotation against the other; `n` plays no part."""
    return 2 * both / (first + second)


def drawn(truth: pd.DataFrame, said: pd.DataFrame, score) -> np.ndarray:
    """A score of tiles drawn anew with replacement, shape (draws, classes)."""
    n = len(truth)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=DRAWS)
    counted = (draws @ np.asarray(columns, dtype=float) for columns in (truth * said, truth, said))
    return score(*counted, n)


def scored(truth: pd.DataFrame, said: pd.DataFrame, score) -> pd.DataFrame:
    """A score by class, with the middle 95 % of what is drawn as `low` and `high`."""
    value = score((truth * said).sum(), truth.sum(), said.sum(), len(truth))
    low, high = np.quantile(drawn(truth, said, score), (.025, .975), axis=0)
    return pd.DataFrame({"value": value, "low": low, "high": high})


def share(hits: int, n: int) -> dict:
    """A share with Wilson's interval (1927)."""
    low, high = binomtest(int(hits), int(n)).proportion_ci(method="wilson")
    return {"value": hits / n, "low": low, "high": high}


def named(prefix: str, values: dict) -> dict:
    return {f"{prefix} {key}".removesuffix(" value"): value for key, value in values.items()}


def tenth_facts() -> dict:
    """How far the blind second pass over a random tenth agrees with the first, by class and in all."""
    second = answers_of("tenth")
    first = answers_of("first").loc[second.index]
    sure = first.notna() & second.notna()
    differ = sure & (first != second)
    found = {f"tenth {name}": tenth_of_class(first[[name]], second[[name]]) for name in first}
    found["tenth"] = {
        "answers": int(sure.to_numpy().sum()),
        "differ": int(differ.to_numpy().sum()),
        "in doubt": int((~sure).to_numpy().sum()),
    }
    return found


def tenth_of_class(first: pd.DataFrame, second: pd.DataFrame) -> dict:
    """Of one class: kappa where both passes are sure, and with doubt taken for "not seen"."""
    sure = (first.notna() & second.notna()).to_numpy().ravel()
    yes, again = (answers.fillna(0).iloc[:, 0] for answers in (first, second))
    return {
        **named("kappa", scored(first[sure], second[sure], kappa).iloc[0].to_dict()),
        "with doubt": kappa((yes * again).sum(), yes.sum(), again.sum(), len(yes)),
        "tiles": int((first == 1).to_numpy().sum()),
        "in doubt": int((~sure).sum()),
        "differ": int((first[sure] != second[sure]).to_numpy().sum()),
    }


def control_facts(name: str, answers: pd.DataFrame) -> dict:
    """Precision, recall and F1 of answers against the small set; what is in doubt counts as not seen."""
    from recaptcha.labels import pass_answers
    truth = pass_answers(table(LABELS / "small.csv").assign(doubt=""))
    said = answers.loc[truth.index].fillna(0)
    scores = scored(truth, said, f1)
    both = (truth * said).sum()
    found = {f"{name} {label}": {
        "tiles": int(truth[label].sum()),
        "found": int(both[label]),
        **named("precision", share(both[label], said[label].sum())),
        **named("recall", share(both[label], truth[label].sum())),
        **named("F1", scores.loc[label].to_dict()),
    } for label in truth}
    low, high = np.quantile(drawn(truth, said, f1).mean(1), (.025, .975))
    macro = {"value": scores.value.mean(), "low": low, "high": high}
    differ = int((truth != said).to_numpy().sum())
    return {**found, name: {**named("F1", macro), "differ": differ, "answers": truth.size}}


def pass_facts() -> dict:
    """Of each pass: tiles, sheets, questions, and what it left in doubt."""
    passes, classes = table(PASSES), complete_answers().shape[1]
    found = {}
    for name, rows in passes.groupby("pass"):
        found[f"pass {name}"] = {
            "tiles": len(rows),
            "sheets": rows.sheet.nunique(),
            "questions": len(rows) * classes if name != "third" else count(rows.asked),
            "doubts": count(rows.doubt),
            "tiles in doubt": int((rows.doubt != "").sum()),
            "largest sheet": int(rows.groupby("sheet").size().max()),
        }
    total = {key: sum(facts[key] for facts in found.values()) for key in ("tiles", "sheets", "questions")}
    again = passes[passes["pass"] != "first"].file
    total["seen twice"] = again.nunique()
    total["seen once"] = passes.file.nunique() - again.nunique()
    total["controls seen again"] = len(set(again) & set(table(LABELS / "small.csv").file))
    return {**found, "passes": total}


def count(names: pd.Series) -> int:
    """How many names there are in texts with `;` between them."""
    return int(names.str.split(";").map(lambda part: len([name for name in part if name])).sum())


def complete_file_facts() -> dict:
    """Of `complete.csv`: what is left in doubt, and tiles without their folder's object."""
    answers = complete_answers()
    unsure = answers.isna()
    own = pd.Series([answers.loc[file, file.split("/")[0]] for file in answers.index if not file.startswith("Other/")])
    return {
        "doubt": {**unsure.sum(), "all": int(unsure.to_numpy().sum()), "tiles": int(unsure.any(axis=1).sum())},
        "folders": {"filed": len(own), "wrong": int((own == 0).sum()), "in doubt": int(own.isna().sum())},
        "nothing": {"tiles": int((answers == 0).all(axis=1).sum())},
        "pictures": {"all": copy_groups()[answers.index].nunique()},
    }


def cell_facts() -> dict:
    cells, complete = table(LABELS / "cells.csv"), complete_answers()
    seen = [complete.loc[row.file, row["class"]] == 1 for _, row in cells.iterrows()]
    by_class = cells["class"].value_counts()
    found = table(LABELS / "cells_detected.csv")
    return {
        "cells.csv": {**by_class, "rows": len(cells), "not in complete.csv": seen.count(False)},
        "cells_detected.csv": {**found["class"].value_counts(), "rows": len(found), "tiles": found.file.nunique()},
    }


def facts() -> dict:
    """{a file or a comparison: {figure: value}}."""
    return {
        **pass_facts(),
        **tenth_facts(),
        **control_facts("first", answers_of("first")),
        **control_facts("after", complete_answers()),
        **complete_file_facts(),
        **cell_facts(),
    }
