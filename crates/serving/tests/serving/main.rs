//! Models that are really asked: ONNX Runtime, MLflow's scoring server, MLServer, a pickled scikit-learn pipeline, and
//! servers and programs on loopback that do everything wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod broken_servers;
mod chaos;
mod fixtures;
mod guard;
mod load;
mod mlflow;
mod mlserver;
mod onnx;
mod parts;
mod subprocess;
mod template;
