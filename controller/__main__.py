"""`python -m controller` is `gdcc`."""

from controller.cli.main import main

main()
