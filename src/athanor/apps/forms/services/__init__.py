"""What a user can do with forms beyond what the kernel's forms do."""
