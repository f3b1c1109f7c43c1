"""Numbered migrations; `HEAD` names the newest, so that two branches that add one meet in that file."""
