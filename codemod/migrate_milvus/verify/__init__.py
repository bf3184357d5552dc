"""Run a program before and after the migration and compare what it did.

Nothing here is imported to migrate. Only this package knows pymilvus, grpc and Milvus Lite at run
time, and it imports them where they are needed.
"""
