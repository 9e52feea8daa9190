"""The statements that change documents and put them into the queue."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from rag_core.domain.document_store import QueueLimits
from rag_core.domain.user import UserId

QUEUE, TASK = "documents", "documents.read"
"""Their names for procrastinate."""
LEAST_PRIORITY = 1_000
"""Of those that wait for one user the first go before others' last; from here on all are equal."""

# One who gives a file twice at once gives it once.
ONE_BY_ONE = "SELECT pg_advisory_xact_lock(hashtextextended('documents ' || %(user)s, 0))"
SAME = """
SELECT id FROM documents
WHERE user_id = %(user)s AND sha256 = %(sha256)s AND deleted_at IS NULL ORDER BY id LIMIT 1
"""
WAITING = """
SELECT count(*) FROM document_versions
WHERE user_id = %(user)s AND status IN ('queued', 'converting')
"""
ADD = """
INSERT INTO documents (user_id, id, path, size_bytes, sha256)
VALUES (%(user)s, %(document)s, %(path)s, %(size)s, %(sha256)s)
"""
ADD_VERSION = """
INSERT INTO document_versions (user_id, document_id, version, path, size_bytes, sha256, content)
VALUES (%(user)s, %(document)s, %(version)s, %(path)s, %(size)s, %(sha256)s, %(content)b)
"""
LOCK = """
SELECT version, live_version, status, sha256, deleted_at IS NOT NULL FROM documents
WHERE user_id = %(user)s AND id = %(document)s FOR UPDATE
"""
REVISE = """
UPDATE documents SET version = %(version)s, status = 'queued', error = '', problem = '',
    path = %(path)s, size_bytes = %(size)s, sha256 = %(sha256)s, uploaded_at = now()
WHERE user_id = %(user)s AND id = %(document)s
"""
READABLE = """
SELECT FROM document_versions WHERE user_id = %(user)s AND document_id = %(document)s
    AND version = %(source)s AND (body IS NOT NULL OR content IS NOT NULL)
"""
COPY_VERSION = """
INSERT INTO document_versions (user_id, document_id, version, restored_from, path, size_bytes,
    sha256, content, type, pages, title, body, author, date, tags, verses)
SELECT user_id, document_id, %(version)s, version, path, size_bytes, sha256, content, type, pages,
       title, body, author, date, tags, verses
FROM document_versions
WHERE user_id = %(user)s AND document_id = %(document)s AND version = %(source)s
"""
RESTORE = """
UPDATE documents SET version = source.version, status = 'queued', error = '', problem = '',
    path = source.path, size_bytes = source.size_bytes, sha256 = source.sha256,
    type = source.type, pages = source.pages, title = source.title, author = source.author,
    date = source.date, tags = coalesce(own_tags, source.tags),
    uploaded_at = source.uploaded_at, deleted_at = NULL
FROM document_versions AS source
WHERE documents.user_id = %(user)s AND documents.id = %(document)s
    AND source.user_id = %(user)s AND source.document_id = %(document)s
    AND source.version = %(version)s
"""
WAIT_AGAIN = """
UPDATE document_versions SET status = 'queued', error = '', problem = ''
WHERE user_id = %(user)s AND document_id = %(document)s AND version = %(version)s
"""
TAG = """
UPDATE documents SET own_tags = %(tags)s, tags = %(tags)s,
    status = CASE WHEN live_version = version THEN 'queued' ELSE status END
WHERE user_id = %(user)s AND id = %(document)s
"""
DELETE = """
UPDATE documents SET deleted_at = now()
WHERE user_id = %(user)s AND id = %(document)s AND deleted_at IS NULL RETURNING id
"""
# A version goes live where it is the newest, or is so and is written again with other tags.
NEXT_PENDING = """
WITH document AS MATERIALIZED (
    SELECT version, live_version, own_tags FROM documents
    WHERE user_id = %(user)s AND id = %(document)s AND deleted_at IS NULL FOR UPDATE
), next AS (
    UPDATE document_versions AS v SET status = 'converting' FROM document
    WHERE v.user_id = %(user)s AND v.document_id = %(document)s AND v.version = (
        SELECT min(version) FROM document_versions
        WHERE user_id = %(user)s AND document_id = %(document)s
            AND status IN ('queued', 'converting'))
    RETURNING v.version, v.path, v.content, v.title, v.body, v.author, v.date, v.tags, v.verses,
        own_tags,
        v.version = document.version OR v.version IS NOT DISTINCT FROM live_version AS goes_live
), shown AS (
    UPDATE documents SET status = 'converting' FROM next
    WHERE user_id = %(user)s AND id = %(document)s AND documents.version = next.version
)
SELECT * FROM next
"""
KEEP = """
UPDATE document_versions SET content = NULL, type = %(type)s, pages = %(pages)s,
    title = %(title)s, body = %(body)s, author = %(author)s, date = %(date)s, tags = %(tags)s,
    verses = %(verses)s
WHERE user_id = %(user)s AND document_id = %(document)s AND version = %(version)s
    AND status = 'converting'
"""
# What the document says of itself is what its newest version says.
DESCRIBE = """
UPDATE documents SET type = %(type)s, pages = %(pages)s, title = %(title)s, author = %(author)s,
    date = %(date)s, tags = coalesce(own_tags, %(tags)s)
WHERE user_id = %(user)s AND id = %(document)s AND version = %(version)s
"""
READY = """
WITH made AS (
    UPDATE document_versions SET status = 'ready', error = '', problem = ''
    WHERE user_id = %(user)s AND document_id = %(document)s AND version = %(version)s
        AND status = 'converting'
    RETURNING version
)
UPDATE documents SET
    live_version = CASE WHEN %(live)s THEN made.version ELSE live_version END,
    status = CASE WHEN documents.version = made.version THEN 'ready' ELSE status END
FROM made WHERE user_id = %(user)s AND id = %(document)s AND deleted_at IS NULL RETURNING id
"""
REJECT = """
WITH rejected AS (
    UPDATE document_versions SET status = 'failed', error = %(error)s, problem = %(problem)s,
        content = CASE WHEN %(for_good)s THEN NULL ELSE content END
    WHERE user_id = %(user)s AND document_id = %(document)s AND version = %(version)s
        AND status = 'converting'
    RETURNING version
)
UPDATE documents SET status = 'failed', error = %(error)s, problem = %(problem)s
FROM rejected
WHERE user_id = %(user)s AND id = %(document)s AND documents.version = rejected.version
"""
PURGE = """
DELETE FROM documents WHERE user_id = %(user)s AND deleted_at < %(before)s RETURNING id
"""
FORGET_JOBS = "DELETE FROM procrastinate_jobs WHERE args ->> 'user' = %(user)s"
# A job that waits already takes this version, too, and at once: it can be fetched only after us.
ENQUEUE = """
WITH waiting AS MATERIALIZED (
    UPDATE procrastinate_jobs SET scheduled_at = NULL
    WHERE args ->> 'user' = %(user)s AND args ->> 'document' = %(document)s AND status = 'todo'
    RETURNING id
)
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
    %(queue)s::text, %(task)s::text, %(priority)s::int, %(lock)s::text, NULL,
    jsonb_build_object('user', %(user)s::text, 'document', %(document)s::text), NULL
)::procrastinate_job_to_defer_v1]) WHERE NOT EXISTS (SELECT FROM waiting)
"""
_WAITS = """status IN ('queued', 'converting')
    AND EXISTS (SELECT FROM documents WHERE documents.user_id = document_versions.user_id
        AND id = document_id AND deleted_at IS NULL)"""
QUEUED = f"""
SELECT count(*), coalesce(extract(epoch FROM now() - min(uploaded_at)), 0)::float
FROM document_versions
WHERE {_WAITS}
"""
# None, unless a job ended just when another version came.
WITHOUT_JOB = f"""
SELECT DISTINCT user_id, document_id FROM document_versions
WHERE {_WAITS}
    AND NOT EXISTS (SELECT FROM procrastinate_jobs WHERE args ->> 'user' = user_id
        AND args ->> 'document' = document_id AND procrastinate_jobs.status IN ('todo', 'doing'))
LIMIT 1000
"""


def job(user: UserId, document_id: str, waiting: int, limits: QueueLimits) -> dict[str, Any]:
    """The parameters of `ENQUEUE`; `waiting` is the number of the user's versions that wait.

    Of the jobs with one lock one is done at a time, and a user has as many locks as documents
    that may be read at once.
    """
    return {
        "user": user,
        "document": document_id,
        "queue": QUEUE,
        "task": TASK,
        "priority": -min(waiting, LEAST_PRIORITY),
        "lock": f"{user}#{crc32(document_id.encode()) % limits.at_once}",
    }
