"""From labels and pictures to feature stores: encoders, resumable building, choosing, auditing."""
