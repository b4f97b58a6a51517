"""small.parquet for src/data/parquet.test.ts: pyarrow's usual file (Snappy), every kind of column that data sets have."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table(
    {
        "sentence": pa.array(["a fine film", "ein Ärgernis", "良い"]),
        "label": pa.array([1, 0, 1], pa.int64()),
        "score": pa.array([0.5, -1.25, 3.0], pa.float32()),
        "input_ids": pa.array([[101, 7, 102], [101, 102], [101, 8, 9, 102]], pa.list_(pa.int32())),
        "good": pa.array([True, False, True]),
        "note": pa.array(["x", None, "y"]),
    }
)
pq.write_table(table, Path(__file__).parent / "small.parquet", compression="snappy")

# the codecs that are met beside Snappy, pages of both versions, and Hugging Face's names of classes
classes = {"info": {"features": {"label": {"names": ["World", "Sports"], "_type": "ClassLabel"}}}}
named = table.replace_schema_metadata({"huggingface": json.dumps(classes)})
for codec, version in [("zstd", "1.0"), ("gzip", "2.0"), ("brotli", "1.0"), ("lz4", "2.0")]:
    name = f"small-{codec}.parquet"
    pq.write_table(named, Path(__file__).parent / name, compression=codec, data_page_version=version)

# pages with checksums, as Spark writes them, and texts that stand as they are
pq.write_table(
    table.select(["sentence", "label"]),
    Path(__file__).parent / "small-checksums.parquet",
    compression="none",
    use_dictionary=False,
    write_page_checksum=True,
)
