"""The cloud's definitions, declared with Pulumi from the inventory. Never where a VM runs."""
