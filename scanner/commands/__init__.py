"""The commands: arguments in, calls and messages out."""
