"""Along time: aggregation over intervals and periods, and resampling."""
