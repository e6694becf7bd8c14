"""What multimodal runs add to runs: features chosen and made, models made with them."""
