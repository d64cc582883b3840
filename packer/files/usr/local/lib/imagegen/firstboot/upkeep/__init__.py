"""What a control plane does for itself once first boot is over: on timers, each run by itself."""
