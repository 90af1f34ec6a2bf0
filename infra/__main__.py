"""What Pulumi runs for every stack."""

from infra import program

program.run()
