package mesh

import (
	"io"
	"log/slog"
	"strings"
)

// Logger writes one JSON object a line, of the same form as every service: time, level, event, service, instance.
func (s Settings) Logger(out io.Writer) *slog.Logger {
	level := map[string]slog.Level{"DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARNING": slog.LevelWarn}
	lowest, known := level[strings.ToUpper(s.LogLevel)]
	if !known {
		lowest = slog.LevelError
	}
	options := &slog.HandlerOptions{Level: lowest, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) > 0 {
			return a
		}
		switch a.Key {
		case slog.TimeKey:
			return slog.String("time", a.Value.Time().UTC().Format("2006-01-02T15:04:05.000000Z"))
		case slog.LevelKey:
			return slog.String("level", map[string]string{"WARN": "warning"}[a.Value.String()]+lower(a.Value.String()))
		case slog.MessageKey:
			return slog.String("event", a.Value.String())
		}
		return a
	}}
	return slog.New(slog.NewJSONHandler(out, options)).With("service", s.Service, "instance", s.Instance)
}

func lower(level string) string {
	if level == "WARN" {
		return ""
	}
	return strings.ToLower(level)
}
