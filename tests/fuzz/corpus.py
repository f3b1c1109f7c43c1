"""Good files of every format to start from: the real samples beside the tests, and small ones written here."""

from __future__ import annotations

from pathlib import Path

_SAMPLES = Path(__file__).parent.parent / "data" / "forecasts"
_LARGEST = 400_000  # bytes; larger samples only make a run slower

_RAIN_CSV = b"""# source: gauge office
area,start,end,mm,kind
370687,2026-07-22T20:00+08:00,2026-07-23T08:00+08:00,12.5,observed
370687,2026-07-23T08:00+08:00,2026-07-23T20:00+08:00,,forecast
370682,2026-07-23T08:00+08:00,2026-07-23T20:00+08:00,96.25,forecast
"""
_STATION_CSV = b"""station,lon,lat,start,end,mm,kind
54765,121.40,37.50,2026-07-23T07:00+08:00,2026-07-23T08:00+08:00,12.5,observed
54863,121.17,36.77,2026-07-23T07:00+08:00,2026-07-23T08:00+08:00,,observed
"""
_NWS = b"""{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[-97.1,39.7],[-97.1,39.8],[-97.0,39.8],
[-97.0,39.7],[-97.1,39.7]]]},"properties":{"updateTime":"2026-07-23T05:00:00+00:00","quantitativePrecipitation":{"uom":"wmoUnit:mm",
"values":[{"validTime":"2026-07-23T06:00:00+00:00/PT6H","value":3.2},{"validTime":"2026-07-23T12:00:00+00:00/PT6H",
"value":0}]}}}"""
_MICAPS_3 = """diamond 3 2026年07月23日08时1小时降水量
26 07 23 00 1 0 0 1 0
1 2
54765 121.40 37.50 47 12.5
54863 121.17 36.77 64 9999
"""
_MICAPS_4 = """diamond 4 26072308_003时效_3小时降水
26 07 23 00 3 9999 0.25 -0.25 121.00 121.50 37.50 37.00 3 3 10 0 100 1 0
0.0 1.5 2.5
3.0 4.0 5.5
6.0 7.25 8.0
"""
_CAP_CODED = b"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a-1</identifier><sender>w@example.invalid</sender>
<sent>2026-07-23T08:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope><info>
<language>zh-CN</language><category>Met</category><event>rainstorm</event><urgency>Expected</urgency>
<severity>Severe</severity><certainty>Likely</certainty><expires>2026-07-23T20:00:00+08:00</expires><area>
<areaDesc>Yantai</areaDesc><geocode><valueName>CN-ADCODE</valueName><value>370600</value></geocode></area></info></alert>
"""
_CAP_DRAWN = b"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>a-2</identifier>
<sender>w@example.invalid</sender><sent>2026-07-23T09:00:00+08:00</sent><status>Actual</status><msgType>Update</msgType>
<scope>Public</scope><references>w@example.invalid,a-1,2026-07-23T08:00:00+08:00</references><info><language>en-GB</language>
<category>Met</category><event>Rain</event><urgency>Expected</urgency><severity>Moderate</severity>
<certainty>Likely</certainty><onset>2026-07-23T12:00:00+08:00</onset><expires>2026-07-24T08:00:00+08:00</expires><area><areaDesc>Coast</areaDesc>
<polygon>37.0,120.5 37.0,122.0 38.0,122.0 38.0,120.5 37.0,120.5</polygon>
<circle>37.4,121.2 30</circle></area></info></alert>
"""
_WRITTEN: dict[str, list[bytes]] = {
    "csv": [_RAIN_CSV, _STATION_CSV],
    "nws": [_NWS],
    "micaps": [_MICAPS_3.encode("gb18030"), _MICAPS_4.encode("gb18030")],
    "cap": [_CAP_CODED, _CAP_DRAWN],
}
_ENDINGS = {
    "grib": ("grib", "grib1", "grib2", "grb", "grb2"),
    "netcdf": ("nc", "nc4", "h5", "hdf5"),
    "openmeteo": ("json",),
    "nws": ("geojson",),
    "micaps": ("000", "003", "006", "012", "024", "micaps"),
}


def samples(reader: str) -> list[bytes]:
    """Good files for this reader, smallest first."""
    endings = tuple(f".{ending}" for ending in _ENDINGS.get(reader, ()))
    files = (
        [path for path in sorted(_SAMPLES.rglob("*")) if path.is_file() and path.name.endswith(endings)]
        if endings
        else []
    )
    found = [path.read_bytes() for path in files if path.stat().st_size <= _LARGEST]
    return sorted([*_WRITTEN.get(reader, []), *found], key=len)
