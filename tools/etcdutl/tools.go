//go:build tools

// Package tools pins the commands that are built from this module.
package tools

import (
	_ "go.etcd.io/etcd/etcdutl/v3"
)
