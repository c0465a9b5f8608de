"""Files: contents under random names in a folder or an S3 bucket, rows in the tenant's table, links that expire."""
