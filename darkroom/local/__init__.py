"""The whole service on one machine: an embedded Redis, and the same processes as in production."""
