"""What travels: requests, results, methods, model cards, errors.

Pure pydantic. Imports no torch, no redis and no fastapi, so that every part of the service can share it.
"""
