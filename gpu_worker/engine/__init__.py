"""Shares a model's networks between lanes: calls that fit together run in one forward."""
