"""What several scripts share: how speed is measured, the plain yardstick, models of both kinds."""
