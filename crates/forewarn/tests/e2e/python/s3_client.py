"""What people do with a bucket by other means than Forewarn: boto3 and pyarrow.

    s3_client.py create BUCKET
    s3_client.py put BUCKET PREFIX FOLDER     every file of a folder, under its name
    s3_client.py delete BUCKET KEY
    s3_client.py keys BUCKET                  a key a line
    s3_client.py rows BUCKET PREFIX           the rows of all Parquet objects, as NDJSON
    s3_client.py days CSV FOLDER              a CSV file with a column `at` as Parquet files by day
    s3_client.py parquet CSV FILE BLOB        a CSV file as one Parquet file, each row with so many random bytes
    s3_client.py arrow FILE                   rows from standard input (NDJSON) as an Arrow stream
"""

import io
import json
import os
import pathlib
import sys

import boto3
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

what, *arguments = sys.argv[1:]


def s3():
    return boto3.client("s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")


def keys(bucket, prefix=""):
    pages = s3().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


if what == "create":
    s3().create_bucket(Bucket=arguments[0])
elif what == "put":
    bucket, prefix, folder = arguments
    for path in sorted(pathlib.Path(folder).iterdir()):
        s3().put_object(Bucket=bucket, Key=f"{prefix}/{path.name}", Body=path.read_bytes())
elif what == "delete":
    s3().delete_object(Bucket=arguments[0], Key=arguments[1])
elif what == "keys":
    print("\n".join(keys(arguments[0])))
elif what == "rows":
    bucket, prefix = arguments
    for key in keys(bucket, prefix):
        if key.endswith(".parquet"):
            content = s3().get_object(Bucket=bucket, Key=key)["Body"].read()
            for row in pq.read_table(io.BytesIO(content)).to_pylist():
                print(json.dumps(row, default=str))
elif what == "days":
    source, folder = arguments
    table = pa.csv.read_csv(source)
    os.makedirs(folder, exist_ok=True)
    days = pc.strftime(table["at"], format="%Y-%m-%d")
    for day in pc.unique(days).to_pylist():
        pq.write_table(table.filter(pc.equal(days, day)), f"{folder}/{day}.parquet")
elif what == "parquet":
    source, target, size = arguments
    table = pa.csv.read_csv(source)
    blobs = [os.urandom(int(size) // 2).hex() for _ in range(table.num_rows)]
    pq.write_table(table.append_column("blob", pa.array(blobs)), target)
elif what == "arrow":
    table = pa.json.read_json(io.BytesIO(sys.stdin.buffer.read()))
    at = pc.cast(pc.strptime(table["at"], "%Y-%m-%dT%H:%M:%SZ", "us"), pa.timestamp("us", "UTC")) \
        if pa.types.is_string(table.schema.field("at").type) \
        else table["at"].cast(pa.timestamp("us", "UTC"))
    table = table.set_column(table.schema.get_field_index("at"), "at", at)
    with pa.ipc.new_stream(arguments[0], table.schema) as stream:
        stream.write_table(table)
else:
    sys.exit(f"unknown: {what}")

# What is done is done: pyarrow's threads are now and then taken down in an order that aborts the process
# ("terminate called without an active exception"), so that nothing is taken down.
sys.stdout.flush()
os._exit(0)
