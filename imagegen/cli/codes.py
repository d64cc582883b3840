"""Exit codes; 0 is success, 2 click's for wrong usage."""

FINDINGS = 1
FAILED = 3
