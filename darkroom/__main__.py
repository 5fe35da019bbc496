"""`python -m darkroom` is `darkroom`."""

from darkroom.commands.cli import main

main()
