"""Writes principal_directions.json and texts.json: principal components by scikit-learn, and tokens and
character classes of texts by scikit-learn and Python itself.

Run as make.py, with the packages of requirements.txt.
"""

import json
import pathlib
from importlib.metadata import version

import numpy as np
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import CountVectorizer

FOLDER = pathlib.Path(__file__).parent


def write(name, tools, cases):
    text = json.dumps({"tools": tools, "cases": cases}, ensure_ascii=False)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def principal(name, rows, dimensions, count, rng):
    scales = np.array([0.7**at for at in range(dimensions)]) * 3.0
    turned = np.linalg.qr(rng.normal(size=(dimensions, dimensions)))[0]
    vectors = np.round((rng.normal(size=(rows, dimensions)) * scales) @ turned.T + 2.0, 4)
    coordinates = PCA(n_components=count, svd_solver="full").fit_transform(vectors)
    return {
        "name": name,
        "dimensions": dimensions,
        "count": count,
        "vectors": vectors.ravel().tolist(),
        "absolute_coordinates": np.abs(coordinates).ravel().tolist(),
    }


REFERENCE = [
    "The parcel arrived late, again.",
    "Parcel was fine; THANK YOU!",
    "arrived in 3 days",
    "",
    "Größe passt nicht, Farbe auch nicht",
    "late late late",
    "call me at 555-0199 :-)",
]
WINDOW = [
    "The parcel arrived broken",
    "broken broken screen",
    "refund please",
    "3 days late",
]


def texts():
    of = CountVectorizer(lowercase=True, token_pattern=r"(?u)[^\W_]+", binary=True)
    before = of.fit(REFERENCE).transform(REFERENCE).toarray()
    vocabulary = set(of.get_feature_names_out())
    window = CountVectorizer(lowercase=True, token_pattern=r"(?u)[^\W_]+", binary=True)
    now = window.fit(WINDOW).transform(WINDOW).toarray()
    names = window.get_feature_names_out()
    new = [at for at, name in enumerate(names) if name not in vocabulary]
    once = int((before.sum(axis=0) == 1).sum())
    tokens = of.build_analyzer()

    def classes(text):
        letters = sum(c.isalpha() for c in text)
        digits = sum(c.isnumeric() for c in text)
        spaces = sum(c.isspace() for c in text)
        n = len(text)
        share = lambda count, of: count / of if of else None
        return [
            n,
            len(tokens(text)),
            share(letters, n),
            share(digits, n),
            share(n - letters - digits - spaces, n),
            share(spaces, n),
            share(sum(c.isupper() for c in text), letters),
            share(sum(not c.isascii() for c in text), n),
        ]

    return [
        {
            "reference": REFERENCE,
            "window": WINDOW,
            "row_counts": {name: int(count) for name, count in zip(of.get_feature_names_out(), before.sum(axis=0))},
            "unseen_share": float(now[:, new].sum() / now.sum()),
            "unseen_by_chance": once / len(REFERENCE) * len(WINDOW) / int(now.sum()),
            "unseen_tokens": len(new),
            "quantities": [classes(text) for text in REFERENCE],
        }
    ]


def main():
    rng = np.random.default_rng(41)
    cases = [principal("wide", 40, 60, 3, rng), principal("tall", 90, 12, 4, rng)]
    write("principal_directions", {name: version(name) for name in ("scikit-learn", "numpy")}, cases)
    write("texts", {"scikit-learn": version("scikit-learn")}, texts())


if __name__ == "__main__":
    main()
