"""Who is told: the log, OpenTelemetry, and observers of chat calls."""
