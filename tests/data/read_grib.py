"""What eccodes itself says of the total-rain fields of a GRIB file: `read_grib.py FILE OUT.npz`.

Holds `values-N`, `lat-N` and `lon-N` of field N, missing values as NaN, in the order of the file.
"""

import os
import sys
from typing import Any

import eccodes  # type: ignore[import-untyped,unused-ignore]
import numpy as np

found: dict[str, Any] = {}
eccodes.codes_grib_multi_support_on()
with open(sys.argv[1], "rb") as file:
    while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
        edition = eccodes.codes_get(handle, "edition")
        keys = ("parameterCategory", "parameterNumber") if edition == 2 else ("indicatorOfParameter",)
        number = tuple(eccodes.codes_get(handle, key, ktype=int) for key in keys)
        template = eccodes.codes_get(handle, "productDefinitionTemplateNumber") if edition == 2 else 8
        if number in {(1, 8), (1, 7), (1, 52), (228,), (61,)} and template == 8:
            eccodes.codes_set(handle, "missingValue", -1e34)
            values = eccodes.codes_get_values(handle)
            at = len(found) // 3
            found[f"values-{at}"] = np.where(values == -1e34, np.nan, values)
            for axis in ("latitudes", "longitudes"):
                found[f"{axis[:3]}-{at}"] = eccodes.codes_get_double_array(handle, axis)
        eccodes.codes_release(handle)
np.savez(sys.argv[2], **found)
sys.stdout.flush()
os._exit(0)
