"""What the posterior of the class says in a mixture: start with `classes`, which both kinds of classes share."""
