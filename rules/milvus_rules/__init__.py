"""What is known about Milvus: the ORM's symbols, their client equivalents, and the rules."""
