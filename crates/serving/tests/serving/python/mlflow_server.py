"""Serves the pipeline that train.py made behind MLflow's scoring server: FOLDER PORT.

The model says NaN where less than nothing was spent, as models do that divide by what they should not.
"""

import pickle
import sys
from pathlib import Path

import mlflow
import numpy as np
import uvicorn
from mlflow.models import ModelSignature
from mlflow.pyfunc import scoring_server
from mlflow.types import ColSpec, Schema


class Bought(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        self.pipeline = pickle.loads(Path(context.artifacts["pipeline"]).read_bytes())

    def predict(self, context, model_input, params=None):
        scores = self.pipeline.predict_proba(model_input)
        return np.where(model_input[["spent"]].to_numpy() < 0, np.nan, scores)


folder, port = Path(sys.argv[1]), int(sys.argv[2])
columns = Schema([ColSpec("string", "region"), ColSpec("long", "visits"), ColSpec("double", "spent")])
mlflow.pyfunc.save_model(
    folder / "mlflow",
    python_model=Bought(),
    artifacts={"pipeline": str(folder / "model.pkl")},
    signature=ModelSignature(inputs=columns),
    pip_requirements=[],
)
app = scoring_server.init(mlflow.pyfunc.load_model(str(folder / "mlflow")))
uvicorn.run(app, host="127.0.0.1", port=port, log_level="error")
