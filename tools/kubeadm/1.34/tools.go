//go:build tools

// Package tools pins the command that is built from this module.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kubeadm"
)
