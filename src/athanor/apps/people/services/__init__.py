"""What a user can do with people, roles, departments and invitations."""
