"""Writes a small image with coordinates: image.py FILE SEED."""

import sys

import numpy
import rasterio
from rasterio.transform import from_bounds

size = 1024
values = numpy.random.default_rng(int(sys.argv[2])).integers(0, 255, (3, size, size), "uint8")
values[:, :, : size // 2] //= 4
profile = {"driver": "COG", "dtype": "uint8", "count": 3, "width": size, "height": size}
profile |= {"crs": "EPSG:4326", "transform": from_bounds(9, 47, 10, 48, size, size)}
with rasterio.open(sys.argv[1], "w", **profile) as image:
    image.write(values)
