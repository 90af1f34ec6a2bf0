"""What every agency builds on, declared once: one component a file; `exports` names what agencies' stacks may use."""
