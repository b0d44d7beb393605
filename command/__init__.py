"""What a person types. Start with `application`."""
