"""Where and how code runs: device, processes, environment, files, command lines."""
