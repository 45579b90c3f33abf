"""The documentation as a site, and the page of it that the models write: `make docs`."""
