package rpc

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const requestIDCharsMax = 128

var traceparent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

// traceID is the trace of a call by its traceparent (W3C Trace Context, level 1, section 3.2), or of a new one.
func traceID(headers []string) string {
	if len(headers) == 1 {
		found := traceparent.FindStringSubmatch(headers[0])
		if found != nil && found[1] != "ff" && (found[1] != "00" || found[5] == "") &&
			found[2] != strings.Repeat("0", 32) && found[3] != strings.Repeat("0", 16) {
			return found[2]
		}
	}
	return hex.EncodeToString(random(16))
}

// requestID is the id under which log lines and errors of a call are found: the caller's, else a new one.
func requestID(headers []string) string {
	if len(headers) == 1 && headers[0] != "" && len(headers[0]) <= requestIDCharsMax && printable(headers[0]) {
		return headers[0]
	}
	// A UUID of version 7 (RFC 9562, section 5.7).
	id := random(16)
	for i, milliseconds := 5, time.Now().UnixMilli(); i >= 0; i, milliseconds = i-1, milliseconds>>8 {
		id[i] = byte(milliseconds)
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

func random(size int) []byte {
	bytes := make([]byte, size)
	_, _ = rand.Read(bytes) // It never fails: the program ends instead.
	return bytes
}
