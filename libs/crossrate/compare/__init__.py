"""What two versions of a service answered, compared field by field as the contract says."""
