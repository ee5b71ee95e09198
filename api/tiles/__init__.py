"""Where web services lead: tiles of maps, to everybody who knows the address."""
