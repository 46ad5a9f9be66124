"""Every univariate drift method of every column with NannyML. Usage: python nannyml_univariate.py FOLDER

One chunk is the whole of what came after the reference, so that one comparison is made and not many.
"""

import sys

import nannyml
from frames import both, reached

reference, current = both(sys.argv[1])
for frame in (reference, current):
    for name in frame.columns[frame.dtypes == object]:
        frame[name] = frame[name].astype("category")
calculator = nannyml.UnivariateDriftCalculator(
    column_names=list(reference.columns),
    continuous_methods=["kolmogorov_smirnov", "jensen_shannon", "wasserstein", "hellinger"],
    categorical_methods=["chi2", "jensen_shannon", "l_infinity", "hellinger"],
    chunk_number=1,
)
reached("rows read, texts made categories")
calculator.fit(reference)
reached("rows read, fitted on the reference")
found = calculator.calculate(current).filter(period="analysis").to_df()
print(f"{found.shape[1]} values; n00 {found['n00']['jensen_shannon']['value'].iloc[0]:.4f}")
