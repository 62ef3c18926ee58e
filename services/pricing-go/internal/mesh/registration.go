package mesh

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

type registration struct {
	Service     string `json:"service"`
	Instance    string `json:"instance"`
	Backend     string `json:"backend"`
	PID         int    `json:"pid"`
	Socket      string `json:"socket"`
	MetricsPort int    `json:"metrics_port"`
	Version     string `json:"version"`
	StartTime   string `json:"start_time"`
}

// Register writes the registration in one step: a reader sees all of it or none.
func (s Settings) Register(metricsPort int, ready time.Time) error {
	content, err := json.Marshal(registration{
		s.Service, s.Instance, s.Backend, os.Getpid(), s.Socket(), metricsPort, s.Version,
		ready.UTC().Format("2006-01-02T15:04:05.000000Z"),
	})
	if err != nil {
		return err
	}
	path := s.Registration()
	draft := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d", filepath.Base(path), os.Getpid()))
	if err := os.WriteFile(draft, append(content, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, path)
}

// Withdraw removes the registration, unless another process has taken the name since.
func (s Settings) Withdraw() {
	content, err := os.ReadFile(s.Registration())
	var found registration
	if err == nil && json.Unmarshal(content, &found) == nil && found.PID == os.Getpid() {
		_ = os.Remove(s.Registration())
	}
}

// Listen opens the instance's socket. What a process that died left there is removed; a living one is an error. Only
// processes of the owner of the run folder, which is this process's user, are let in.
func (s Settings) Listen() (net.Listener, error) {
	path := s.Socket()
	if probe, err := net.DialTimeout("unix", path, time.Second); err == nil {
		_ = probe.Close()
		return nil, fmt.Errorf("another process serves %s: stop it, or give this one another CROSSRATE_INSTANCE", path)
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return &peers{Listener: listener}, os.Chmod(path, 0o600)
}

// peers are connections of this process's own user alone.
type peers struct{ net.Listener }

// Accept closes whatever another user opened.
func (p *peers) Accept() (net.Conn, error) {
	for {
		connection, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if own(connection) {
			return connection, nil
		}
		_ = connection.Close()
	}
}

func own(connection net.Conn) bool {
	raw, err := connection.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	var who *syscall.Ucred
	var failed error
	err = raw.Control(func(descriptor uintptr) {
		who, failed = syscall.GetsockoptUcred(int(descriptor), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	return err == nil && failed == nil && int(who.Uid) == os.Geteuid()
}
