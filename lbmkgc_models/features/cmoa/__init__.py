"""CMoA: image and text features of entities brought into one space by a contrastive loss."""
