//! Metrics, plots, pictures and reports
