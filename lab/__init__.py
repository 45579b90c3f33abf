"""The lab: a real mesh on one machine, as plain processes on 127.0.0.1 (see README.md beside this file)."""
