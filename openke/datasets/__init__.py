"""Data sets by name: where they lie, how they are fetched and put together, how one is imported."""
