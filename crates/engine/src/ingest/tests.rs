//! Tests of ingestion as a whole.
