"""What every process of the platform has around its work: settings, logs, telemetry, signals, live configuration."""
