"""Pages of rows, as a list of them or a query's answer is asked for.

https://cloud.google.com/bigquery/docs/paging-results
"""

from typing import Dict, Optional, Tuple


def wants_exact(asked: Dict[str, str]) -> bool:
    """Return whether times are to be whole microseconds."""
    return asked.get("formatOptions.useInt64Timestamp", "").lower() == "true"


def page_of(count: int, asked: Dict[str, str]) -> Tuple[int, int, str]:
    """Return the first row of a page, the first after it, and the token of the next page, "" if it is the last."""
    start = int(asked.get("pageToken") or asked.get("startIndex") or 0)
    limit: Optional[int] = int(asked["maxResults"]) if asked.get("maxResults") else None
    end = count if limit is None else min(count, start + limit)
    return start, end, str(end) if end < count and limit != 0 else ""
